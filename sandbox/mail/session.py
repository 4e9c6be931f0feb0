"""One SMTP session (RFC 5321), as strict as a relay may be, over streams that are read line by line."""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

_MAX_LINE = 998 + 2
_ADDRESS = re.compile(r"(?:FROM|TO):<([^<>\s]*)>((?: [A-Z0-9=-]+)*)", re.IGNORECASE)
_HELLO = frozenset({"EHLO", "HELO"})


@dataclass(frozen=True, slots=True)
class Account:
    """Who may send. Without one, anybody may."""

    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Message:
    """A mail as it came: the envelope, and the content without the dots that SMTP adds."""

    sender: str
    recipients: list[str]
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a step. `code` None: as usual. `cut`: the connection ends without a word.

    `keep`: the message is kept all the same, and only the reply is bad or missing.
    """

    code: int | None = None
    cut: bool = False
    keep: bool = False


# Asked before a reply to RCPT and to the end of DATA: the step, and the recipient.
Judge = Callable[[str, str], Awaitable[Verdict]]


class _CutError(Exception):
    """The session ends here."""


class Session:
    """Reads commands until QUIT or the end of the connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        account: Account | None,
        max_bytes: int,
        judge: Judge,
        keep: Callable[[Message], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._account = account
        self._max_bytes = max_bytes
        self._judge = judge
        self._keep = keep
        self._said_hello = False
        self._is_signed_in = account is None
        self._message: Message | None = None

    async def run(self) -> None:
        await self._reply(220, "sandbox ESMTP")
        try:
            while (line := await self._read_line()) is not None:
                verb, _, rest = line.partition(" ")
                if not await self._command(verb.upper(), rest.strip()):
                    return
        except _CutError:
            self._writer.transport.abort()

    async def _command(self, verb: str, rest: str) -> bool:
        """False after QUIT."""
        match verb:
            case "EHLO":
                self._said_hello, self._message = True, None
                offers = ["sandbox", f"SIZE {self._max_bytes}", *(["AUTH PLAIN LOGIN"] if self._account else [])]
                await self._reply_lines(250, offers)
            case "HELO":
                self._said_hello, self._message = True, None
                await self._reply(250, "sandbox")
            case "AUTH":
                await self._authenticate(rest)
            case "MAIL":
                await self._mail(rest)
            case "RCPT":
                await self._rcpt(rest)
            case "DATA":
                await self._data()
            case "RSET":
                self._message = None
                await self._reply(250, "forgotten")
            case "NOOP":
                await self._reply(250, "fine")
            case "QUIT":
                await self._reply(221, "goodbye")
                return False
            case _:
                await self._reply(502, "command not implemented")
        return True

    async def _authenticate(self, rest: str) -> None:
        account = self._account
        if account is None:
            await self._reply(502, "command not implemented")
            return
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            given = _decode(initial or await self._ask("")).split("\0")
            found = tuple(given[1:3])
        elif mechanism.upper() == "LOGIN":
            name = _decode(initial or await self._ask(base64.b64encode(b"Username:").decode()))
            found = (name, _decode(await self._ask(base64.b64encode(b"Password:").decode())))
        else:
            await self._reply(504, "mechanism not implemented")
            return
        self._is_signed_in = found == (account.username, account.password)
        await (self._reply(235, "welcome") if self._is_signed_in else self._reply(535, "credentials invalid"))

    async def _mail(self, rest: str) -> None:
        found = _ADDRESS.fullmatch(rest)
        if not self._said_hello or self._message is not None:
            await self._reply(503, "bad sequence of commands")
        elif not self._is_signed_in:
            await self._reply(530, "authentication required")
        elif found is None or not rest.upper().startswith("FROM:"):
            await self._reply(501, "MAIL FROM:<address> expected")
        else:
            self._message = Message(sender=found[1], recipients=[])
            await self._reply(250, "sender noted")

    async def _rcpt(self, rest: str) -> None:
        found = _ADDRESS.fullmatch(rest)
        if self._message is None:
            await self._reply(503, "bad sequence of commands")
        elif found is None or not found[1] or not rest.upper().startswith("TO:"):
            await self._reply(501, "RCPT TO:<address> expected")
        else:
            refusal = await self._judged("rcpt", found[1])
            if refusal is None:
                self._message.recipients.append(found[1])
            await self._reply(refusal or 250, "recipient refused" if refusal else "recipient noted")

    async def _data(self) -> None:
        message = self._message
        if message is None or not message.recipients:
            await self._reply(503, "bad sequence of commands")
            return
        await self._reply(354, "go on, end with a dot")
        content = await self._read_content()
        self._message = None
        if content is None:
            await self._reply(552, "message too large")
            return
        message.content = content
        refusal = await self._judged("data", message.recipients[0], message)
        if refusal is None:
            self._keep(message)
        await self._reply(refusal or 250, "message refused" if refusal else "message kept")

    async def _judged(self, step: str, recipient: str, message: Message | None = None) -> int | None:
        """The code of a refusal, None when there is none."""
        verdict = await self._judge(step, recipient)
        if message is not None and verdict.keep and (verdict.cut or verdict.code):
            self._keep(message)
        if verdict.cut:
            raise _CutError
        return verdict.code

    async def _read_content(self) -> bytes | None:
        """None when it is too large; it is read to its end all the same, or the next command would be its middle."""
        lines: list[bytes] = []
        size = 0
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            size += len(line)
            if size <= self._max_bytes:
                lines.append(line.removeprefix(b"."))
        return b"".join(lines) if size <= self._max_bytes else None

    async def _ask(self, challenge: str) -> str:
        await self._reply(334, challenge)
        return await self._read_line() or ""

    async def _read_line(self) -> str | None:
        """A command; None at the end of the connection."""
        try:
            line = await self._reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError:
            return None
        if len(line) > _MAX_LINE:
            raise _CutError
        return line.rstrip(b"\r\n").decode("ascii", errors="replace")

    async def _reply(self, code: int, text: str) -> None:
        await self._reply_lines(code, [text])

    async def _reply_lines(self, code: int, texts: list[str]) -> None:
        last = len(texts) - 1
        for number, text in enumerate(texts):
            self._writer.write(f"{code}{' ' if number == last else '-'}{text}\r\n".encode())
        await self._writer.drain()


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""

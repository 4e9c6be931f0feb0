"""Below HTTP: how a connection is cut in the middle of a call, or kept busy without getting anywhere."""

import asyncio

from starlette.types import Message, Receive, Send


async def cut_connection(receive: Receive, send: Send) -> None:
    """Reset the connection without an answer.

    ASGI has no word for that, so the transport is taken from uvicorn's request cycle, whose bound method `send` is.
    In process, where there is no connection, the caller gets a ConnectionResetError instead.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox was asked to cut this connection, and there is none")
    transport.abort()
    # uvicorn would write a 500 into the dead connection, and log it, if we returned before it noticed.
    while (await receive())["type"] != "http.disconnect":
        pass


def dripping(receive: Receive, send: Send, *, pause_s: float) -> Send:
    """Return a `send` that lets bodies out byte by byte, with a pause before each, until the caller hangs up."""

    async def drip(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        for byte in message.get("body", b""):
            try:
                async with asyncio.timeout(pause_s):
                    if (await receive())["type"] == "http.disconnect":
                        return
            except TimeoutError:
                await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)})

    return drip

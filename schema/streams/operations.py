"""One operation over a connection that stays: answers go into a sink, whatever carries them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol
from uuid import uuid4

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType

from execution.engine import GraphQLEngine, OperationRequest, RequestRefused
from execution.subscriptions import StreamFailed, SubscriptionEngine
from resolvers.context import OperationContext
from schema.admission import Admission, Ticket
from schema.answers import answer_of, codes_of, format_error, internal_error, record_personal_reads
from schema.documents import DocumentRules
from schema.streams.sessions import Session
from telemetry.operations import NAMES, Outcome, observing_operation

Errors = Sequence[Mapping[str, Any]]


class Sink(Protocol):
    """Where the answers of one operation go. `error` and `complete` are the last."""

    async def next(self, answer: str, forms: MutableMapping[str, bytes] | None = None) -> None:
        """`forms`: what sinks made of the same answer for others, by a key of theirs."""
        ...

    async def error(self, errors: Errors) -> None: ...

    async def complete(self) -> None: ...


class ClientLost(Exception):
    """The client went away, or takes nothing more: nobody is left to tell."""


def encode(result: ExecutionResult, context: OperationContext) -> str:
    """Return a response as JSON text."""
    return orjson.dumps(answer_of(result, request_id=context.request_id)).decode()


class OperationRunner:
    """Runs operations of every kind, with the limits of HTTP. One for a process."""

    def __init__(
        self,
        engine: GraphQLEngine,
        subscriptions: SubscriptionEngine[OperationContext],
        *,
        deadline_seconds: float,
        documents: DocumentRules | None = None,
        admission: Admission | None = None,
    ) -> None:
        self._engine = engine
        self._documents = documents or DocumentRules()
        self._admission = admission or Admission()
        self._subscriptions = subscriptions
        self._deadline_seconds = deadline_seconds

    def kind_of(self, request: OperationRequest) -> OperationType | None:
        """Return what is asked for; None when it will be refused anyway."""
        return self._engine.operation_type(request)

    def admit(self, session: Session) -> Ticket:
        """Let one operation begin. Raises RateLimited."""
        return self._admission.begin(session.viewer, session.network_address)

    async def run(self, request: OperationRequest, session: Session, sink: Sink, ticket: Ticket | None = None) -> None:
        """Answer one operation to its end. Raises ClientLost, and nothing else: errors go into the sink.

        `ticket`: of an operation that was let begin already.
        """
        try:
            ticket = ticket or self.admit(session)
            self._documents.admit(self._engine, request, session.viewer)
            if self.kind_of(request) is OperationType.SUBSCRIPTION:
                await self._stream(request, session, sink, ticket)
            else:
                await self._answer(request, session, sink, ticket)
        except RequestRefused as refused:
            await sink.error([format_error(error, request_id=uuid4().hex) for error in refused.errors])
        except StreamFailed as failure:
            await sink.error([format_error(failure.error, request_id=uuid4().hex)])
        except ClientLost:
            raise
        except Exception as error:  # noqa: BLE001 (the last door: of what happened, only the log may hear)
            await sink.error([internal_error(error, uuid4().hex)])
        else:
            await sink.complete()

    async def _stream(self, request: OperationRequest, session: Session, sink: Sink, ticket: Ticket) -> None:
        answers = await self._subscriptions.subscribe(
            request, session, deadline_seconds=self._deadline_seconds, admit=ticket
        )
        async with aclosing(answers):
            async for answer in answers:
                if answer.context.personal_reads:
                    # The execution may be shared, the trace never: each who is shown a number is written down.
                    await record_personal_reads(answer.context, session.viewer)
                await sink.next(answer.text, answer.forms)

    async def _answer(self, request: OperationRequest, session: Session, sink: Sink, ticket: Ticket) -> None:
        context = session.make()
        with observing_operation(refusals=(RequestRefused,)) as seen:
            try:
                result = await self._engine.execute(
                    request, context, deadline_seconds=self._deadline_seconds, admit=ticket
                )
            except TimeoutError:
                seen.outcome = Outcome.TIMEOUT
                message = f"operation: not finished within {self._deadline_seconds:g} seconds; ask for less"
                raise RequestRefused([GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED"})]) from None
            await record_personal_reads(context, context.viewer)
            if request.shows_cost:
                result.extensions = {**(result.extensions or {}), "cost": ticket.told}
            answer = answer_of(result, request_id=context.request_id)
            is_signed_in = context.viewer.is_authenticated
            seen.name = NAMES.label(self._engine.operation_name(request), is_signed_in=is_signed_in)
            seen.describe(self._engine.operation_type(request), self._engine.text_of(request))
            seen.answered(codes_of(answer))
        await sink.next(orjson.dumps(answer).decode())

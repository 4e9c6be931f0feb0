"""Subscriptions: events in, encoded answers out, each made once for all subscribers whom it cannot tell apart.

Knows no domain. An event may offer `key`, which names it among all events of the process; a subscriber's contexts offer
`authorization_key`, which equals another's only where every answer would be the same for both. Subscribers of the same
document, operation, variables and authorization then share the execution and the encoding of an event. What an event
offers as `extensions` goes into the member of that name of its response: a cursor, for the types that have no field for
it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Generic, Protocol, TypeVar, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    located_error,
)
from graphql.execution import create_source_event_stream  # pyright: ignore[reportUnknownVariableType]

from execution.echoes import be_discreet
from execution.engine import Admit, GraphQLEngine, OperationRequest, RequestRefused
from execution.executor import SchemaExecutor
from execution.limits import LimitError
from execution.sharing import root_field, shape_of
from execution.single_flight import SingleFlight

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)


class EventContexts(Protocol[C_co]):
    """Where the contexts of one subscriber come from: one for each event, so that nothing loaded outlives it."""

    @property
    def authorization_key(self) -> Hashable | None:
        """Everything about the subscriber that an answer can depend on. None: answers are for this one alone."""
        ...

    def make(self) -> C_co: ...


@dataclass(frozen=True, slots=True)
class Answer(Generic[C]):
    """One event's response, as JSON text. `context`: what it was executed with, maybe for several subscribers.

    `forms`: what a transport made of the text, by a key of its own; those who share the answer may share these too.
    """

    text: str
    context: C
    forms: dict[str, bytes] = field(default_factory=dict[str, bytes], compare=False)


class StreamFailed(Exception):
    """The stream of events ended with an error, which `error` tells."""

    def __init__(self, error: GraphQLError) -> None:
        super().__init__("stream failed")
        self.error = error


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one subscription asks for. `shape`: all of it that an answer depends on."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    deadline_seconds: float
    shape: Hashable


class SubscriptionEngine(Generic[C]):
    """Runs the subscriptions of one process. `encode` makes the text of a response."""

    def __init__(
        self,
        engine: GraphQLEngine,
        encode: Callable[[ExecutionResult, C], str],
        *,
        memo: SingleFlight[Answer[C]] | None = None,
    ) -> None:
        self._engine = engine
        self._encode = encode
        self.memo: SingleFlight[Answer[C]] = memo or SingleFlight(weigh=lambda answer: len(answer.text))

    async def subscribe(
        self,
        request: OperationRequest,
        contexts: EventContexts[C],
        *,
        deadline_seconds: float,
        admit: Admit | None = None,
    ) -> AsyncGenerator[Answer[C], None]:
        """Return the answers of a subscription, one an event. Close the generator to unsubscribe.

        Raises RequestRefused when it cannot begin; the generator raises StreamFailed when its events end with an error.
        `deadline_seconds` is for each event.
        """
        document, operation = self._engine.prepare(request, admit)
        if operation.operation is not OperationType.SUBSCRIPTION:
            error = GraphQLError("operation: not a subscription", extensions={"code": "BAD_USER_INPUT"})
            raise RequestRefused([error])
        shape = shape_of(document, operation, request.variables)
        plan = _Plan(document, operation, request.variables, deadline_seconds, shape)
        source = await self._source(plan, contexts.make())
        return self._answers(plan, source, contexts)

    async def aclose(self) -> None:
        """End what is under way. For the end of the process, after the subscribers."""
        await self.memo.aclose()

    async def _source(self, plan: _Plan, context: C) -> AsyncIterable[Any]:
        """Ask the root field for its events."""
        executor = cast("Any", SchemaExecutor).build(
            self._engine.schema,
            plan.document,
            context_value=context,
            raw_variable_values=dict(plan.variables),
            operation_name=plan.operation.name.value if plan.operation.name else None,
            hide_suggestions=self._engine.hides_suggestions,
        )
        if isinstance(executor, list):
            errors = cast("list[GraphQLError]", executor)
            raise RequestRefused(be_discreet(errors) if self._engine.hides_suggestions else errors)
        source: Any = create_source_event_stream(executor)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            raise RequestRefused(source.errors or [])
        return source

    async def _answers(
        self, plan: _Plan, source: AsyncIterable[Any], contexts: EventContexts[C]
    ) -> AsyncGenerator[Answer[C], None]:
        try:
            async for event in source:
                yield await self._answer(plan, event, contexts)
        except Exception as error:
            field = root_field(plan.document, plan.operation)
            path = [field.alias.value if field.alias else field.name.value]
            raise StreamFailed(located_error(error, [field], path)) from error
        finally:
            # A generator is told at once that nobody listens any more, rather than when its memory is collected.
            if isinstance(source, AsyncGenerator):
                await source.aclose()

    async def _answer(self, plan: _Plan, event: Any, contexts: EventContexts[C]) -> Answer[C]:
        event_key: Hashable | None = getattr(event, "key", None)
        authorization = contexts.authorization_key
        if event_key is None or authorization is None:
            return await self._executed(plan, event, contexts.make())
        return await self.memo.get(
            (plan.shape, authorization, event_key), lambda: self._executed(plan, event, contexts.make())
        )

    async def _executed(self, plan: _Plan, event: Any, context: C) -> Answer[C]:
        try:
            result = await self._engine.run(
                plan.document,
                plan.operation,
                plan.variables,
                context,
                deadline_seconds=plan.deadline_seconds,
                root=event,
            )
        except TimeoutError:
            message = f"event: not answered within {plan.deadline_seconds:g} seconds; ask for less"
            result = ExecutionResult(None, errors=[LimitError(message)])
        extensions: dict[str, Any] | None = getattr(event, "extensions", None)
        if extensions is not None:
            result.extensions = {**(result.extensions or {}), **extensions}
        return Answer(self._encode(result, context), context)

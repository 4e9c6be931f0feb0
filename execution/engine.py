"""One operation from text to result: parse and validate (both remembered), weigh, execute within a deadline."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from execution.echoes import be_discreet
from execution.executor import execute_prepared
from execution.limits import LimitError, Limits, check_shape, operation_cost, sizes_of
from execution.plans import PlanCache
from execution.trusted.documents import TrustedDocument, TrustedDocuments

MAX_ECHO = 200
# graphql-core reads it when a validation starts. Its own 500 000 lets 4 kB of repeated fields compute for most of a
# second; the largest documents of real clients (the introspection of tools) stay below a tenth of this.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000
MAX_CACHED_TEXT = 20_000
# Each error of a variable shows all of it once more: graphql-core's own 50 of them take seconds where it is large.
_MAX_COERCION_ERRORS = 5
# Costs that are remembered of one document: clients page by a few sizes.
_MAX_COSTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """What a client asks for, already of the right JSON types: a text, or the identifier of a trusted document."""

    query: str = ""
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    # Whether the client wants to be told in `extensions` what this costs.
    shows_cost: bool = False


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that was parsed and validated once. `errors`: it never executes.

    `costs`: of its operations, by all that they depend on.
    """

    document: DocumentNode | None
    errors: Sequence[GraphQLError] = ()
    introspects: bool = False
    costs: dict[Hashable, int] = field(default_factory=dict[Hashable, int], compare=False, repr=False)


class RequestRefused(Exception):
    """The request never began to execute: `errors` say why. There is no `data` key in its answer."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("request refused")
        self.errors = errors


# Told the cost of an operation, and whether it asks for the schema, before it runs; raises RequestRefused to stop it.
Admit = Callable[[int, bool], None]


class MutationByGet(Exception):
    """A GET asked for something else than a query."""


class GraphQLEngine:
    """Runs operations of one schema. Safe to share by all requests of a process."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        hide_suggestions: bool = False,
        cache_size: int = 500,
        compiled_plans: bool = True,
        compile_after: int = 2,
        native_dates: bool = False,
        trusted: TrustedDocuments | None = None,
    ) -> None:
        """`compiled_plans`, `compile_after`, `native_dates`: see execution.plans.PlanCache.

        `trusted`: documents that are made ready here, once and for all.
        """
        self.schema = schema
        self.plans = (
            PlanCache(schema, size=cache_size, compile_after=compile_after, native_dates=native_dates)
            if compiled_plans
            else None
        )
        self._limits = limits
        self._hide_suggestions = hide_suggestions
        self._cache_size = cache_size
        self._documents: OrderedDict[str, PreparedDocument] = OrderedDict()
        self.cache_hits = 0
        self.cache_misses = 0
        self.trusted = trusted if trusted is not None else TrustedDocuments()
        self._trusted = {document.text: self._trust(document.text) for document in self.trusted}

    @property
    def hides_suggestions(self) -> bool:
        return self._hide_suggestions

    async def execute(
        self,
        request: OperationRequest,
        context: Any,
        *,
        deadline_seconds: float,
        only_queries: bool = False,
        admit: Admit | None = None,
    ) -> ExecutionResult:
        """Return the result of an operation. Raises RequestRefused, MutationByGet, or TimeoutError at the deadline."""
        document, operation = self.prepare(request, admit)
        if only_queries and operation.operation is not OperationType.QUERY:
            raise MutationByGet
        if operation.operation is OperationType.SUBSCRIPTION:
            raise RequestRefused([_refusal("operation: subscriptions need a WebSocket or an event stream")])
        result = await self.run(document, operation, request.variables, context, deadline_seconds=deadline_seconds)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            # Variables that do not fit their types: found by the executor, but before anything ran.
            raise RequestRefused(be_discreet(result.errors) if self._hide_suggestions else result.errors)
        return result

    async def run(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        context: Any,
        *,
        deadline_seconds: float,
        root: Any = None,
    ) -> ExecutionResult:
        """Return the result of a prepared operation; of a subscription, what it makes of the event `root`.

        Raises TimeoutError at the deadline.
        """
        result = execute_prepared(
            self.schema,
            document,
            operation,
            root_value=root,
            context_value=context,
            variable_values=variables,
            hide_suggestions=self._hide_suggestions,
            max_coercion_errors=_MAX_COERCION_ERRORS,
            plans=self.plans,
        )
        return result if isinstance(result, ExecutionResult) else await self._within(deadline_seconds, result)

    def known_operation(self, request: OperationRequest) -> OperationDefinitionNode | None:
        """Return the operation that is asked for, if its document was prepared before and may run; it is not now."""
        trusted = self.trusted_document(request)
        if trusted is not None:
            prepared = self._trusted[trusted.text]
        else:
            prepared = None if request.document_id is not None else self._documents.get(request.query)
        if prepared is None or prepared.document is None or prepared.errors:
            return None
        try:
            return _chosen(prepared.document, request.operation_name)
        except RequestRefused:
            return None

    def operation_type(self, request: OperationRequest) -> OperationType | None:
        """Return what kind of operation is asked for; None for a request that would be refused unread."""
        prepared = self._prepared(request)
        if prepared.document is None or prepared.errors:
            return None
        try:
            return _chosen(prepared.document, request.operation_name).operation
        except RequestRefused:
            return None

    def operation_name(self, request: OperationRequest) -> str | None:
        """Return the name of an operation that was prepared; None for one without a name."""
        prepared = self._prepared(request)
        if prepared.document is None:
            return None
        name = _chosen(prepared.document, request.operation_name).name
        return name.value if name else None

    def prepare(
        self, request: OperationRequest, admit: Admit | None = None
    ) -> tuple[DocumentNode, OperationDefinitionNode]:
        """Return the document and the one operation that was asked for. Raises RequestRefused."""
        prepared = self._prepared(request)
        if prepared.document is None or prepared.errors:
            raise RequestRefused(prepared.errors)
        operation = _chosen(prepared.document, request.operation_name)
        cost = self._cost(prepared, prepared.document, operation, request.variables)
        if cost > self._limits.cost:
            shown = str(cost) if cost < 1_000_000_000 else "over a billion"
            raise RequestRefused(
                [LimitError(f"operation: costs {shown} fields, at most {self._limits.cost}; ask for smaller pages")]
            )
        if admit is not None:
            admit(cost, prepared.introspects)
        return prepared.document, operation

    def _cost(
        self,
        prepared: PreparedDocument,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        key = (id(operation), sizes_of(variables))  # the document keeps its operations
        cost = prepared.costs.get(key)
        if cost is None:
            if len(prepared.costs) >= _MAX_COSTS:
                prepared.costs.clear()
            cost = prepared.costs[key] = operation_cost(self.schema, document, operation, variables, self._limits)
        return cost

    def trusted_document(self, request: OperationRequest) -> TrustedDocument | None:
        """Return the trusted document that is asked for, by its identifier or by its very text; None for any other."""
        if request.document_id is not None:
            return self.trusted.find(request.document_id)
        return self.trusted.find_text(request.query)

    def text_of(self, request: OperationRequest) -> str:
        """Return the text of the document that is asked for; nothing for an identifier that is not known."""
        document = self.trusted_document(request)
        return request.query if document is None else document.text

    def _trust(self, text: str) -> PreparedDocument:
        """One that does not fit the schema is no reason not to start: whoever sends it is told."""
        prepared = self._prepare(text)
        if self.plans is not None and prepared.document is not None and not prepared.errors:
            self.plans.expect(prepared.document)
        return prepared

    def _prepared(self, request: OperationRequest) -> PreparedDocument:
        trusted = self.trusted_document(request)
        if trusted is not None:
            return self._trusted[trusted.text]
        if request.document_id is not None:
            return PreparedDocument(None, [_unknown_document()])
        query = request.query
        found = self._documents.get(query)
        if found is not None:
            self.cache_hits += 1
            self._documents.move_to_end(query)
            return found
        self.cache_misses += 1
        prepared = self._prepare(query)
        # White space and comments are free of tokens: without this, a few long texts would fill the memory.
        if len(query) <= MAX_CACHED_TEXT:
            self._documents[query] = prepared
            if len(self._documents) > self._cache_size:
                self._documents.popitem(last=False)
        return prepared

    def _prepare(self, query: str) -> PreparedDocument:
        if len(query) > self._limits.characters:
            message = f"document: {len(query)} characters, at most {self._limits.characters} are accepted"
            return PreparedDocument(None, [LimitError(message)])
        try:
            document = parse(query, max_tokens=self._limits.tokens)
            introspects = check_shape(document, self._limits)
        except LimitError as error:
            return PreparedDocument(None, [error])
        except RecursionError:
            return PreparedDocument(None, [LimitError("document: nested too deeply")])
        except GraphQLError as error:
            error.extensions = {"code": _code_of(error)}
            return PreparedDocument(None, be_discreet([error]) if self._hide_suggestions else [error])
        errors = validate(
            self.schema, document, specified_rules, max_errors=20, hide_suggestions=self._hide_suggestions
        )
        for error in errors:
            error.extensions = {**(error.extensions or {}), "code": _code_of(error)}
        return PreparedDocument(document, be_discreet(errors) if self._hide_suggestions else errors, introspects)

    @staticmethod
    async def _within(deadline_seconds: float, result: Awaitable[ExecutionResult]) -> ExecutionResult:
        async with asyncio.timeout(deadline_seconds):
            return await result


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        raise RequestRefused([_refusal("operationName: missing, although the document has several operations")])
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise RequestRefused([_refusal(f'operationName: no operation "{name[:MAX_ECHO]}" in the document')])


def _code_of(error: GraphQLError) -> str:
    """Tell a document that is wrong from one that was too long or too deep to be read to its end."""
    aborted = isinstance(error, ValidationAbortedError) or error.message.endswith("Parsing aborted.")
    is_circular = error.message == "Maximum introspection depth exceeded"
    return "LIMIT_EXCEEDED" if aborted or is_circular else "BAD_USER_INPUT"


def _unknown_document() -> GraphQLError:
    message = "documentId: no such document here; reload the page, or send its text as `query` where that is accepted"
    return GraphQLError(message, extensions={"code": "PERSISTED_DOCUMENT_NOT_FOUND"})


def _refusal(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})

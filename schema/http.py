"""GraphQL over HTTP, as the specification of that name says it, for POST and GET.

`application/graphql-response+json` tells by its status whether an operation ran (200) or was refused (4xx);
`application/json`, the older way, answers 200 to every well-formed request. Refusals are JSON under both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
from graphql import ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from execution.engine import GraphQLEngine, MutationByGet, OperationRequest, RequestRefused
from models.database import StatementCounter, counting_statements
from resolvers.context import OperationContext, Resources
from resolvers.supposed_viewers import SupposedViewer, ViewerMemory
from resolvers.viewer import ANONYMOUS, Viewer
from resolvers.viewers import load_marked_viewer
from schema.admission import Admission, RateLimited, Ticket
from schema.answers import answer_of, codes_of, format_error, internal_error, record_personal_reads
from schema.documents import DocumentRules, public_seconds, unfit_variables
from schema.http_requests import (
    GRAPHQL_RESPONSE,
    JSON,
    Refusal,
    check_content_type,
    negotiate,
    operation_of,
    parsed,
    prefers_html,
    query_parameters,
)
from schema.requests import bearer_token
from schema.streams.events import EVENT_STREAM, EventStreams
from schema.streams.registry import TooManyStreams
from schema.streams.sessions import Session
from services.tokens import Claims, InvalidToken, TokenVerifier
from telemetry.operations import NAMES, Outcome, SeenOperation, observing_operation

# Fields of Query whose first statement tells what became of a supposed viewer.
_ROOTS_OF_ROWS = frozenset(
    {
        *("jobSeeker", "jobSeekers", "jobApplication", "jobApplications", "approval", "approvals"),
        *("appointments", "participations", "company", "companies", "surveys"),
    }
)
_PERSISTED = ("documentId", "extensions")
GRAPHIQL = Path(__file__).parent / "static" / "graphiql" / "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    max_body_bytes: int
    deadline_seconds: float
    is_production: bool
    documents: DocumentRules = field(default_factory=DocumentRules)
    admission: Admission = field(default_factory=Admission)
    # Whether who asked a moment ago is remembered (resolvers/supposed_viewers.py).
    remembers_viewers: bool = False


@dataclass(slots=True)
class _Caller:
    """Who asks. `supposed`: they are remembered, and it is still to be told whether rightly."""

    viewer: Viewer
    claims: Claims | None = None
    supposed: SupposedViewer | None = None


class GraphQLEndpoint:
    """The route `/graphql`. One for a process."""

    def __init__(
        self,
        engine: GraphQLEngine,
        verifier: TokenVerifier,
        resources: Resources,
        config: EndpointConfig,
        event_streams: EventStreams | None = None,
    ) -> None:
        self._engine = engine
        self._verifier = verifier
        self._resources = resources
        self._config = config
        self._event_streams = event_streams
        self._viewers = ViewerMemory() if config.remembers_viewers else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "GET" and prefers_html(request) and not self._config.is_production:
            return FileResponse(GRAPHIQL, media_type="text/html", headers={"Cache-Control": "no-store"})
        media_type = JSON
        try:
            wanted = negotiate(request.headers.get("accept"))
            media_type = GRAPHQL_RESPONSE if wanted == EVENT_STREAM else wanted  # refusals are no events
            asked = await self._read(request)
            if wanted == EVENT_STREAM:
                return await self._open_stream(request, asked)
            with observing_operation(refusals=(Refusal,)) as seen:
                async with counting_statements() as counter:
                    response = await self._answer(request, asked, media_type, seen)
                seen.statements = counter.statements
            return self._timed(response, counter)
        except Refusal as refusal:
            return _refused(refusal, media_type)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it; it tells the access log what happened
        except Exception as error:  # noqa: BLE001 (the last door: of what happened, only the log may hear)
            return _json({"errors": [internal_error(error, request.state.request_id)]}, 500, media_type)

    # -- reading the request

    async def _read(self, request: Request) -> OperationRequest:
        if request.method == "GET":
            parameters = query_parameters(request)
            if self._config.is_production and ("query" in parameters or parameters.keys().isdisjoint(_PERSISTED)):
                raise Refusal(405, "GET: not accepted here but for persisted documents, send a POST", Allow="POST")
            return operation_of(parameters)
        if request.method != "POST":
            raise Refusal(405, f"{request.method[:20]}: GET or POST expected", Allow="GET, POST")
        check_content_type(request)
        return operation_of(parsed(await self._body(request)))

    async def _body(self, request: Request) -> bytes:
        limit = self._config.max_body_bytes
        announced = request.headers.get("content-length", "")
        # More digits than a size has, or digits of other scripts, are for the count below.
        if announced.isdecimal() and len(announced) < 20 and int(announced) > limit:
            raise Refusal(413, f"body: at most {limit} bytes are accepted", "LIMIT_EXCEEDED", Connection="close")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise Refusal(413, f"body: at most {limit} bytes are accepted", "LIMIT_EXCEEDED", Connection="close")
        return bytes(body)

    # -- running the operation

    async def _answer(
        self, request: Request, asked: OperationRequest, media_type: str, seen: SeenOperation
    ) -> Response:
        caller = await self._caller(request, asked)
        context = self._context(request, caller.viewer, caller.supposed)
        try:
            ticket = self._config.admission.begin(context.viewer, context.client_address)
            self._config.documents.admit(self._engine, asked, context.viewer)
            if request.method == "GET" and asked.document_id is not None:
                self._check_address(asked)
            result = await self._run(request, asked, context, ticket)
            if not await self._is_still(caller):
                context = self._context(request, caller.viewer)
                result = await self._run(request, asked, context, ticket)
        except MutationByGet:
            raise Refusal(405, "GET: only queries; send mutations by POST", Allow="POST") from None
        except RateLimited as limited:
            raise _too_many(limited) from None
        except RequestRefused as refused:
            # The older media type has no way to tell a refusal but the body.
            status = _status_of(refused) if media_type == GRAPHQL_RESPONSE else 200
            seen.outcome = Outcome.REFUSED
            return _json({"errors": self._formatted(refused.errors, context)}, status, media_type)
        except TimeoutError:
            seen.outcome = Outcome.TIMEOUT
            message = f"operation: not finished within {self._config.deadline_seconds:g} seconds; ask for less"
            raise Refusal(504, message, "LIMIT_EXCEEDED") from None
        await record_personal_reads(context, context.viewer)
        if asked.shows_cost:
            result.extensions = {**(result.extensions or {}), "cost": ticket.told}
        answer = answer_of(result, request_id=context.request_id)
        is_signed_in = context.viewer.is_authenticated
        seen.name = NAMES.label(self._engine.operation_name(asked), is_signed_in=is_signed_in)
        seen.describe(self._engine.operation_type(asked), self._engine.text_of(asked))
        seen.answered(codes_of(answer))
        response = _json(answer, 200, media_type, ticket.headers)
        if request.method == "GET" and (seconds := self._public_seconds(asked, answer)):
            response.headers.update({"Cache-Control": f"public, max-age={seconds}", "Vary": "Accept, Origin"})
            # What caches keep is shown to others, whose standing is another.
            for name in ticket.headers:
                del response.headers[name]
        return response

    def _context(self, request: Request, viewer: Viewer, supposed: SupposedViewer | None = None) -> OperationContext:
        return OperationContext(
            viewer=viewer,
            resources=self._resources,
            now=datetime.now(UTC),
            request_id=request.state.request_id,
            client_address=request.client.host if request.client is not None else "",
            supposed=supposed,
        )

    async def _run(
        self, request: Request, asked: OperationRequest, context: OperationContext, ticket: Ticket
    ) -> ExecutionResult:
        return await self._engine.execute(
            asked,
            context,
            deadline_seconds=self._config.deadline_seconds,
            only_queries=request.method == "GET",
            admit=ticket,
        )

    def _check_address(self, asked: OperationRequest) -> None:
        """Raise Refusal where an address would have to hold what may be personal. Raises RequestRefused."""
        _, operation = self._engine.prepare(asked)
        if unfit := unfit_variables(self._engine.schema, operation):
            message = f"GET: ${unfit[0]} may hold personal data, which does not belong in addresses; send a POST"
            raise Refusal(405, message, Allow="POST")

    def _public_seconds(self, asked: OperationRequest, answer: Mapping[str, Any]) -> int:
        """Only trusted documents: what else may be asked for, nobody has looked at."""
        if self._engine.trusted_document(asked) is None:
            return 0
        return public_seconds(self._engine.schema, self._engine.prepare(asked)[1], answer)

    async def _caller(self, request: Request, asked: OperationRequest) -> _Caller:
        """Return who asks: as they were a moment ago, where what they ask for will tell whether they still are."""
        header = request.headers.get("authorization")
        if header is None:
            return _Caller(ANONYMOUS)
        try:
            claims = await self._verifier.verify(bearer_token(header))
            if self._viewers is not None and self._tells_of_viewers(asked):
                supposed = self._viewers.suppose(claims)
                if supposed is not None:
                    return _Caller(supposed.viewer, claims, supposed)
            return _Caller((await self._load_viewer(claims))[0], claims)
        except InvalidToken as error:
            raise _challenge(error) from None

    def _tells_of_viewers(self, asked: OperationRequest) -> bool:
        """Tell whether nothing is decided of who asks before the first read tells of them."""
        return self._config.documents.admits_anybody(self._engine, asked) and _reads_rows_alone(
            self._engine.known_operation(asked)
        )

    async def _is_still(self, caller: _Caller) -> bool:
        """Tell whether a supposed viewer has kept their rights; if not, put who they are by now in their place.

        Raises Refusal (401) for one who has none any more.
        """
        supposed = caller.supposed
        if supposed is None or caller.claims is None or supposed.is_still:
            return True
        try:
            viewer, mark = await self._load_viewer(caller.claims)
        except InvalidToken as error:
            raise _challenge(error) from None
        # Where no row came back, nothing has told.
        is_still = not supposed.is_told and mark == supposed.mark
        caller.viewer, caller.supposed = viewer, None
        return is_still

    async def _load_viewer(self, claims: Claims) -> tuple[Viewer, str | None]:
        """Return who a token speaks for by now, with their mark, and remember them. Raises InvalidToken."""
        if self._viewers is not None:
            self._viewers.forget(claims)
        viewer, mark = await load_marked_viewer(claims)
        if self._viewers is not None:
            self._viewers.keep(claims, viewer, mark)
        return viewer, mark

    # -- streaming the operation

    async def _open_stream(self, request: Request, asked: OperationRequest) -> Response:
        if self._event_streams is None:
            raise Refusal(406, f"Accept: {GRAPHQL_RESPONSE} or {JSON} expected")
        if request.method != "POST":
            raise Refusal(405, f"{request.method}: event streams are opened by POST", Allow="POST")
        address = request.client.host if request.client is not None else ""
        session = Session(self._verifier, self._resources, client_address=address)
        try:
            if (header := request.headers.get("authorization")) is not None:
                await session.sign_in(header)
            return self._event_streams.open(asked, session)
        except InvalidToken as error:
            raise _challenge(error) from None
        except RateLimited as limited:
            raise _too_many(limited) from None
        except TooManyStreams as refusal:
            message = f"{refusal}: try again later"
            raise Refusal(refusal.status, message, "LIMIT_EXCEEDED", Retry_After="5") from None

    # -- writing the answer

    def _formatted(self, errors: Sequence[GraphQLError], context: OperationContext) -> list[dict[str, Any]]:
        return [format_error(error, request_id=context.request_id) for error in errors]

    def _timed(self, response: Response, counter: StatementCounter) -> Response:
        if not self._config.is_production:
            response.headers["Server-Timing"] = (
                f'sql;desc="{counter.statements} statements";dur={counter.seconds * 1000:.1f}'
            )
        return response


def _reads_rows_alone(operation: OperationDefinitionNode | None) -> bool:
    """Tell whether an operation does nothing but read rows: if it was in vain, it may be run again."""
    return (
        operation is not None
        and operation.operation is OperationType.QUERY
        and all(
            isinstance(node, FieldNode) and node.name.value in _ROOTS_OF_ROWS
            for node in operation.selection_set.selections
        )
    )


def _challenge(error: InvalidToken) -> Refusal:
    challenge = f'Bearer realm="traverse", error="invalid_token", error_description="{_quotable(str(error))}"'
    return Refusal(401, str(error), "UNAUTHENTICATED", WWW_Authenticate=challenge)


def _too_many(limited: RateLimited) -> Refusal:
    """The same under both media types: a proxy, and whoever counts statuses, is to know it from an answer."""
    refusal = Refusal(429, limited.errors[0].message, "RATE_LIMITED")
    refusal.headers = dict(limited.standing.headers)
    refusal.extensions = dict(limited.errors[0].extensions or {})
    return refusal


def _status_of(refused: RequestRefused) -> int:
    is_forbidden = any((error.extensions or {}).get("code") == "FORBIDDEN" for error in refused.errors)
    return 403 if is_forbidden else 400


def _refused(refusal: Refusal, media_type: str) -> Response:
    error = {"message": str(refusal), "extensions": refusal.extensions | {"code": refusal.code}}
    response = _json({"errors": [error]}, refusal.status, media_type)
    response.headers.update(refusal.headers)
    return response


def _json(
    content: Mapping[str, Any], status: int, media_type: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        headers={
            "Content-Type": f"{media_type}; charset=utf-8",
            "Cache-Control": "no-store",
            "Vary": "Accept",
            **headers,
        },
    )


def _quotable(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable() and letter not in '"\\`')

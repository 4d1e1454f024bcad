"""Dependencies of FastAPI that ask the sidecar; needs `authz-client[fastapi]`."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authz.client.answers import TenantContext
from authz.client.asynchronous import AsyncClient
from authz.client.errors import AuthzError, InternalError, ProtocolError
from authz.client.identity import CallerOf, Headers, by_credential
from authz.client.needs import Need
from authz.client.questions import Caller
from authz.client.refusals import Page, caller_in, page_of, refuse_undecided

Connect: TypeAlias = Callable[[], AsyncClient]
# What RFC 6455 calls a violation of policy, and a condition that will pass.
_REFUSED, _TRY_LATER = 1008, 1013
_UNAVAILABLE = 503


class Guard:
    """Asks for each request; `caller`, `tenant` and `requires` are for `Depends`.

    Whatever they raise is an AuthzError, which Refusals makes a response of. Without
    it the response is a 500.
    """

    def __init__(
        self, connect: Connect, *, caller_of: CallerOf = by_credential
    ) -> None:
        """A guard that is not connected before `lifespan`.

        Args:
            connect: makes the client, in the event loop of the application.
            caller_of: who sent a request. No header names anybody by itself, unless
                you say so here.
        """
        self._connect = connect
        self._caller_of = caller_of
        self._client: AsyncClient | None = None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncGenerator[None, None]:
        """For `FastAPI(lifespan=…)`, or to be entered in your own."""
        del app
        async with self._connect() as client:
            self._client = client
            try:
                yield
            finally:
                self._client = None

    @property
    def client(self) -> AsyncClient:
        """The client, for further questions.

        Raises:
            InternalError: `lifespan` was not entered.
        """
        if self._client is None:
            raise InternalError("the application's lifespan has no client")
        return self._client

    async def caller(self, connection: HTTPConnection) -> Caller:
        """Who sent the request; their credential is not checked before it is used."""
        return caller_in(_headers(connection.scope), self._caller_of)

    async def tenant(self, connection: HTTPConnection) -> TenantContext:
        """As which tenant the caller acts."""
        caller = await self.caller(connection)
        return (await self.client.resolve_context(caller)).context

    def requires(
        self, *needs: Need
    ) -> Callable[[HTTPConnection], Coroutine[object, object, TenantContext]]:
        """The tenant as well, if all needs hold; asked in one call. 1 to 32 needs."""
        if not needs:
            raise ValueError("nothing is required: depend on `tenant`")

        async def ask(connection: HTTPConnection) -> TenantContext:
            caller = await self.caller(connection)
            requirements = [need(connection.path_params) for need in needs]
            answer = await self.client.authorize(caller, *requirements)
            answer.require()
            if answer.context is None:
                raise ProtocolError("the answer lacks `context`")
            return answer.context

        return ask


class Refusals:
    """ASGI middleware that makes responses of every AuthzError; for `add_middleware`.

    Refuses requests that a proxy let pass undecided, whether or not a route asks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or websocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            refuse_undecided(_headers(scope))
            await self._app(scope, receive, watched)
        except AuthzError as error:
            page = page_of(error)
            if scope["type"] == "websocket":
                await send(_closing(page))
            elif has_begun:
                # Half a response must not look like a whole one.
                raise
            else:
                await _refuse(page, send)


def _closing(page: Page) -> Message:
    code = _TRY_LATER if page.status == _UNAVAILABLE else _REFUSED
    return {"type": "websocket.close", "code": code, "reason": ""}


async def _refuse(page: Page, send: Send) -> None:
    headers = {**page.headers, "content-length": str(len(page.body))}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": page.status, "headers": pairs})
    await send({"type": "http.response.body", "body": page.body})


def _headers(scope: Scope) -> Headers:
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    return Headers(
        (name.decode("latin-1"), text.decode("latin-1")) for name, text in pairs
    )

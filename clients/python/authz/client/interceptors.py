"""Interceptors for your own gRPC servers: they ask the sidecar before a method runs.

What a handler asks them for is `current_tenant()`.
"""

import inspect
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
)
from contextvars import copy_context
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

import grpc
from grpc import aio
from typing_extensions import override

from authz.client.answers import TenantContext
from authz.client.asynchronous import AsyncClient
from authz.client.blocking import Client
from authz.client.errors import AuthzError
from authz.client.identity import CallerOf, by_credential
from authz.client.methods import (
    OPEN,
    TENANT,
    Methods,
    Open,
    Rule,
    allowed_context,
    current_tenant,
)
from authz.client.refusals import ending_of

__all__ = [
    "OPEN",
    "AsyncTenantInterceptor",
    "Open",
    "Rule",
    "TenantInterceptor",
    "current_tenant",
]

if TYPE_CHECKING:
    _Interceptor: TypeAlias = grpc.ServerInterceptor[object, object]
    _AsyncInterceptor: TypeAlias = aio.ServerInterceptor[object, object]
    _Handler: TypeAlias = grpc.RpcMethodHandler[object, object]
else:
    # Only the stubs know of their types.
    _Interceptor = grpc.ServerInterceptor
    _AsyncInterceptor = aio.ServerInterceptor
_Details: TypeAlias = grpc.HandlerCallDetails
_Behaviour: TypeAlias = Callable[[object, grpc.ServicerContext], object]
_Context: TypeAlias = aio.ServicerContext[object, object]
_AsyncBehaviour: TypeAlias = Callable[[object, _Context], object]


class TenantInterceptor(_Interceptor):
    """For `grpc.server(…, interceptors=[…])`."""

    def __init__(
        self,
        client: Client,
        rules: Mapping[str, Rule],
        *,
        caller_of: CallerOf = by_credential,
        timeout: float = 1.0,
    ) -> None:
        """An interceptor that refuses every method without a rule.

        Args:
            client: who is asked. It is not closed here.
            rules: by path, such as `/package.Service/Method`: what it needs, or OPEN.
                Ids are fields of the request of that name.
            caller_of: who calls, from the metadata.
            timeout: seconds for the question, at most what is left of the call.
        """
        self._client = client
        self._methods = Methods(rules, caller_of, timeout)

    @override
    def intercept_service(
        self,
        continuation: "Callable[[_Details], _Handler | None]",
        handler_call_details: _Details,
    ) -> "_Handler | None":
        """Called by gRPC for each call."""
        details = handler_call_details
        handler = continuation(details)
        if handler is None:
            return None
        inner = cast("_Behaviour", _behaviour(handler))

        def single(request: object, context: grpc.ServicerContext) -> object:
            try:
                scope = copy_context()
                scope.run(TENANT.set, self._tenant(details, request, context))
                return scope.run(inner, request, context)
            except AuthzError as error:
                _end(context, error)

        def several(request: object, context: grpc.ServicerContext) -> Iterator[object]:
            try:
                # Each message may be made by another thread.
                scope = copy_context()
                scope.run(TENANT.set, self._tenant(details, request, context))
                messages = iter(
                    cast("Iterator[object]", scope.run(inner, request, context))
                )
                while (message := scope.run(next, messages, _END)) is not _END:
                    yield message
            except AuthzError as error:
                _end(context, error)

        return _replaced(handler, several if handler.response_streaming else single)

    def _tenant(
        self, details: _Details, request: object, context: grpc.ServicerContext
    ) -> TenantContext | None:
        question = self._methods.question(details, request, context.time_remaining())
        if question is None:
            return None
        caller, timeout = question.caller, question.timeout
        if question.requirements:
            return allowed_context(
                self._client.authorize(caller, *question.requirements, timeout=timeout)
            )
        return self._client.resolve_context(caller, timeout=timeout).context


class AsyncTenantInterceptor(_AsyncInterceptor):
    """The same for `grpc.aio.server(interceptors=[…])`; handlers are coroutines."""

    def __init__(
        self,
        client: AsyncClient,
        rules: Mapping[str, Rule],
        *,
        caller_of: CallerOf = by_credential,
        timeout: float = 1.0,
    ) -> None:
        self._client = client
        self._methods = Methods(rules, caller_of, timeout)

    @override
    async def intercept_service(
        self,
        continuation: "Callable[[_Details], Awaitable[_Handler]]",
        handler_call_details: _Details,
    ) -> "_Handler":
        """Called by gRPC for each call."""
        details = handler_call_details
        handler: _Handler | None = await continuation(details)
        if handler is None:
            # For gRPC it is one that is not implemented; its types do not know.
            return cast("_Handler", handler)
        inner = cast("_AsyncBehaviour", _behaviour(handler))

        async def single(request: object, context: _Context) -> object:
            try:
                TENANT.set(await self._tenant(details, request, context))
                return await cast("Awaitable[object]", inner(request, context))
            except AuthzError as error:
                await _end_async(context, error)

        async def several(request: object, context: _Context) -> AsyncIterator[object]:
            try:
                TENANT.set(await self._tenant(details, request, context))
                made = inner(request, context)
                if inspect.isawaitable(made):
                    # It writes its messages to the context by itself.
                    await made
                    return
                async for message in cast("AsyncIterator[object]", made):
                    yield message
            except AuthzError as error:
                await _end_async(context, error)

        return _replaced(handler, several if handler.response_streaming else single)

    async def _tenant(
        self, details: _Details, request: object, context: _Context
    ) -> TenantContext | None:
        question = self._methods.question(details, request, context.time_remaining())
        if question is None:
            return None
        caller, timeout = question.caller, question.timeout
        if question.requirements:
            return allowed_context(
                await self._client.authorize(
                    caller, *question.requirements, timeout=timeout
                )
            )
        answer = await self._client.resolve_context(caller, timeout=timeout)
        return answer.context


_END = object()


def _behaviour(handler: "_Handler") -> object:
    return (
        handler.unary_unary
        or handler.unary_stream
        or handler.stream_unary
        or handler.stream_stream
    )


def _replaced(handler: "_Handler", behaviour: object) -> "_Handler":
    makers = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = makers[handler.request_streaming, handler.response_streaming]
    return make(
        cast("_Behaviour", behaviour),
        handler.request_deserializer,
        handler.response_serializer,
    )


def _end(context: grpc.ServicerContext, error: AuthzError) -> NoReturn:
    ending = ending_of(error)
    context.set_trailing_metadata(ending.trailers)
    context.abort(ending.code, ending.message)


async def _end_async(context: _Context, error: AuthzError) -> NoReturn:
    ending = ending_of(error)
    await context.abort(ending.code, ending.message, ending.trailers)

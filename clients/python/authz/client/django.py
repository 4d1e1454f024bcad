"""Middleware of Django that asks the sidecar; needs `authz-client[django]`.

Settings:

- `AUTHZ_TARGET`: `unix:/run/authz/authz.sock`, or `host:port`. Needed.
- `AUTHZ_TLS`: a Tls; without, the connection is in the clear.
- `AUTHZ_TIMEOUT`: seconds for each question, 1.0 if unset.
- `AUTHZ_CALLER`: who sent a request, a CallerOf or its dotted path. If unset, whoever
  proves it by a credential; no header names anybody by itself.
"""

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeAlias, cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from authz.client.answers import TenantContext
from authz.client.blocking import Client
from authz.client.channels import Tls
from authz.client.errors import AuthzError, InternalError, ProtocolError
from authz.client.identity import CallerOf, Headers, by_credential
from authz.client.needs import Need, Values
from authz.client.questions import Caller
from authz.client.refusals import caller_in, page_of, refuse_undecided

P = ParamSpec("P")
View: TypeAlias = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
_SETTINGS: Final = {"AUTHZ_TARGET", "AUTHZ_TLS", "AUTHZ_TIMEOUT", "AUTHZ_CALLER"}
_TENANT: Final = "tenant"
_GUARD: Final = "authz"
# Says of a view that it needs no tenant of the middleware.
_MARK: Final = "authz_asks_itself"


class Guard:
    """Asks for each request; `request.authz` is the one of the middleware."""

    def __init__(self) -> None:
        _check_names()
        self._target = _target_setting()
        self._tls = _tls_setting()
        self._timeout = float(getattr(settings, "AUTHZ_TIMEOUT", 1.0))
        self._caller_of = _caller_setting()
        self._lock = threading.Lock()
        self._process = 0
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The client of this process, for further questions."""
        with self._lock:
            # Servers load an application and fork; no connection lives through that.
            if self._client is None or self._process != os.getpid():
                self._client = Client.connect(
                    self._target, tls=self._tls, timeout=self._timeout
                )
                self._process = os.getpid()
            return self._client

    def caller(self, request: HttpRequest) -> Caller:
        """Who sent the request; their credential is not checked before it is used."""
        return caller_in(_headers(request), self._caller_of)

    def tenant(self, request: HttpRequest) -> TenantContext:
        """As which tenant the caller acts."""
        return self.client.resolve_context(self.caller(request)).context

    def require(
        self, request: HttpRequest, needs: tuple[Need, ...], values: Values
    ) -> TenantContext:
        """The tenant as well, if all needs hold; asked in one call."""
        caller = self.caller(request)
        answer = self.client.authorize(caller, *(need(values) for need in needs))
        answer.require()
        if answer.context is None:
            raise ProtocolError("the answer lacks `context`")
        return answer.context


class TenantMiddleware:
    """Gives each request its `tenant`, or refuses it.

    Views that are `public` have none. Every AuthzError of a view becomes a response.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._guard = Guard()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serves one request."""
        try:
            refuse_undecided(_headers(request))
        except AuthzError as error:
            return _response(error)
        setattr(request, _GUARD, self._guard)
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, *_: object
    ) -> HttpResponseBase | None:
        """Called by Django before a view."""
        if getattr(view, _MARK, False):
            return None
        try:
            setattr(request, _TENANT, self._guard.tenant(request))
        except AuthzError as error:
            return _response(error)
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Called by Django when a view raised."""
        del request
        return _response(exception) if isinstance(exception, AuthzError) else None


def public(view: View[P]) -> View[P]:
    """Marks a view that anybody may call; its requests have no tenant."""
    setattr(view, _MARK, True)
    return view


def requires(*needs: Need) -> Callable[[View[P]], View[P]]:
    """Has a view called only if all needs hold; ids are arguments from its path.

    The tenant comes with the same answer. A view in a class is decorated with
    `method_decorator(requires(…), name="dispatch")`.
    """
    if not needs:
        raise ValueError("nothing is required: the middleware gives the tenant")

    def decorate(view: View[P]) -> View[P]:
        if iscoroutinefunction(view):
            raise TypeError("`requires` is for views that are no coroutines")

        @wraps(view)
        def ask(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            guard = guard_of(request)
            setattr(request, _TENANT, guard.require(request, needs, kwargs))
            return view(request, *args, **kwargs)

        setattr(ask, _MARK, True)
        return ask

    return decorate


def tenant_of(request: HttpRequest) -> TenantContext:
    """The tenant of a request, for code whose types are checked.

    Raises:
        InternalError: it has none; its view is public, or the middleware is missing.
    """
    tenant: object = getattr(request, _TENANT, None)
    if not isinstance(tenant, TenantContext):
        raise InternalError("the request has no tenant")
    return tenant


def guard_of(request: HttpRequest) -> Guard:
    """The guard of a request.

    Raises:
        ImproperlyConfigured: the middleware is missing.
    """
    guard: object = getattr(request, _GUARD, None)
    if not isinstance(guard, Guard):
        raise ImproperlyConfigured("`MIDDLEWARE` lacks TenantMiddleware")
    return guard


def _headers(request: HttpRequest) -> Headers:
    # Two lines of a header are joined by a comma, which Headers refuses.
    return Headers(request.headers.items())


def _response(error: AuthzError) -> HttpResponse:
    page = page_of(error)
    return HttpResponse(page.body, status=page.status, headers=dict(page.headers))


def _check_names() -> None:
    found = {name for name in dir(settings) if name.startswith("AUTHZ_")}
    for name in sorted(found - _SETTINGS):
        # One that is misspelt would be a default, such as no TLS.
        raise ImproperlyConfigured(f"`{name}` is no setting")


def _target_setting() -> str:
    value: object = getattr(settings, "AUTHZ_TARGET", None)
    if not isinstance(value, str) or not value:
        raise ImproperlyConfigured("`AUTHZ_TARGET` is not set")
    return value


def _tls_setting() -> Tls | None:
    value: object = getattr(settings, "AUTHZ_TLS", None)
    if not isinstance(value, Tls | None):
        raise ImproperlyConfigured("`AUTHZ_TLS` is no Tls")
    return value


def _caller_setting() -> CallerOf:
    value: object = getattr(settings, "AUTHZ_CALLER", by_credential)
    found: object = import_string(value) if isinstance(value, str) else value
    if not callable(found):
        raise ImproperlyConfigured("`AUTHZ_CALLER` cannot be called")
    return cast("CallerOf", found)

"""Who calls your application: from headers to the caller of a question.

The headers are those of an HTTP request, or the metadata of a gRPC call. Read as
authz-sidecar reads them at the edge of a mesh, so that a request means the same there
and here.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from authz.client.errors import InvalidRequestError, UnauthenticatedError
from authz.client.questions import Caller

_AUTHORIZATION: Final = "authorization"
_API_KEY: Final = "x-api-key"
_ORGANIZATION: Final = "x-organization-id"
_BEARER: Final = re.compile("bearer +([^ ]+)", re.IGNORECASE)
# A JWT has three parts, and no part of it can have a dot.
_DOTS_OF_A_TOKEN: Final = 2


class Headers:
    """Headers by their names, which have no case, with every value that arrived."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def single(self, name: str) -> str | None:
        """The value of a header by its name in lower case, none when it is not there.

        Raises:
            InvalidRequestError: it has two, on two lines or joined by a comma. Which
                of them others take it for is not known.
        """
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1 or "," in values[0]:
            message = f"the header `{name}` has more than one value"
            raise InvalidRequestError(message, reason="REPEATED_HEADER")
        return values[0].strip(" \t")


CallerOf: TypeAlias = Callable[[Headers], Caller | None]


def by_credential(headers: Headers) -> Caller | None:
    """Whoever proves who they are, by a bearer token or an API key.

    `Authorization: Bearer` has a JWT or an API key, `X-API-Key` has a key, and
    `X-Organization-Id` the organization that is wished for. The sidecar checks all of
    it. None when there is no credential.

    Raises:
        InvalidRequestError: two credentials, or two values of a header.
        UnauthenticatedError: `Authorization` is none that anybody could check.
    """
    organization = headers.single(_ORGANIZATION)
    authorization, key = headers.single(_AUTHORIZATION), headers.single(_API_KEY)
    if authorization is not None and key is not None:
        message = "the request has two credentials"
        raise InvalidRequestError(message, reason="TWO_CREDENTIALS")
    if key is not None:
        return Caller.api_key(key, organization=organization)
    if authorization is None:
        return None
    match = _BEARER.fullmatch(authorization)
    if match is None:
        message = "the credential is not valid"
        raise UnauthenticatedError(message, reason="INVALID_CREDENTIAL")
    text = match[1]
    if text.count(".") == _DOTS_OF_A_TOKEN:
        return Caller.access_token(text, organization=organization)
    return Caller.api_key(text, organization=organization)


def trusting(user_header: str) -> CallerOf:
    """Whoever a header names, without proof.

    Only where everybody's requests come through a proxy that sets this header, or takes
    it off. Otherwise anybody is whoever they say. With WSGI it must take off what has
    `_` in place of `-`, too: the two arrive as one.

    Args:
        user_header: has the user's id, such as `x-authz-user-id`. None is nobody.
    """
    name = user_header.lower()

    def caller_of(headers: Headers) -> Caller | None:
        user_id = headers.single(name)
        if not user_id:
            return None
        return Caller.user(user_id, organization=headers.single(_ORGANIZATION))

    return caller_of

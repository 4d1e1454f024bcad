"""Fails closed: no verdict becomes a response without a status."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.decision import Denied
from sidecar.core.ids import PrincipalId, UserId
from sidecar.core.model import (
    AccessLevel,
    OrgRole,
    PrincipalSource,
    TenantContext,
    User,
)
from sidecar.edge.request import EdgeRequest, Headers
from sidecar.edge.verdict import Admitted, Refused, Shadowed, Verdict, Where
from sidecar.transport.edge_answers import Told, respond
from sidecar.transport.status import TABLE

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
_DENIED = st.sampled_from(
    [
        Denied(status.denial, reason)
        for reason, statuses in TABLE.items()
        for status in statuses
        if status.denial is not None
    ]
)
_WHERE = st.builds(
    Where,
    _TEXTS,
    _TEXTS,
    st.none() | st.floats(min_value=0.001, max_value=1e9),
    st.booleans(),
)
_CONTEXTS = st.builds(
    TenantContext,
    st.builds(
        User,
        _TEXTS.map(UserId),
        _TEXTS.map(PrincipalId),
        _TEXTS,
        st.booleans(),
        st.booleans(),
    ),
    st.none() | _TEXTS.map(PrincipalId),
    st.sampled_from(PrincipalSource),
    st.none() | st.sampled_from(OrgRole),
)
_REFUSED = st.builds(
    Refused, _WHERE, _DENIED, st.dictionaries(st.sampled_from(["vary", "a"]), _TEXTS)
)
_VERDICTS: st.SearchStrategy[Verdict] = st.one_of(
    st.builds(
        Admitted,
        _WHERE,
        st.none() | _CONTEXTS,
        st.none() | st.sampled_from(AccessLevel),
    ),
    _REFUSED,
    st.builds(Shadowed, _WHERE, _REFUSED),
)
_REQUESTS = st.builds(
    EdgeRequest,
    st.sampled_from(["GET", "HEAD", ""]),
    st.binary(max_size=9),
    st.lists(
        st.tuples(
            st.sampled_from(
                [b"content-type", b"x-authz-user-id", b"X_AUTHZ_", b"\xff"]
            ),
            st.sampled_from([b"", b"application/grpc", b"\0"]),
        )
    ).map(Headers),
)


@given(_VERDICTS, _REQUESTS)
def test_every_response_has_a_status(verdict: Verdict, asked: EdgeRequest) -> None:
    """Code 0 is for what passes and for nothing else; nothing is empty or unset."""
    response = respond(verdict, asked, Told("1", 0.001))
    passes = not isinstance(verdict, Refused)

    assert response.HasField("status")
    assert response.SerializeToString() not in {b"", b"\x0a\x00"}
    assert passes is (response.status.code == 0)
    assert ("ok_response" if passes else "denied_response") == response.WhichOneof(
        "http_response"
    )
    if not passes:
        assert 400 <= response.denied_response.status.code < 500
    sent = {each.header.key for each in response.ok_response.headers}
    assert not sent & set(response.ok_response.headers_to_remove)

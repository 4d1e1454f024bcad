"""Both clients before a real sidecar: each engine, each kind of connection."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from authz.client import (
    AccessLevel,
    AccessRule,
    AnyOrgRole,
    Caller,
    Creatable,
    Denial,
    Equals,
    Everything,
    Field,
    InRole,
    InvalidRequestError,
    NewResource,
    Operation,
    OrgRole,
    OwnedBy,
    PermissionDeniedError,
    PermissionQuery,
    Permitted,
    Placeholders,
    PlatformAdmin,
    Resource,
    RuleContext,
    SqlOptions,
    Tls,
    UnavailableError,
    Unowned,
    Visible,
    Writable,
    calls,
)
from authz.client.answers import ContextKind
from authz.client.questions import Attributes

from tests.clients.python.scripted import ANN, CLIENTS, put
from tests.support.authority import Authority, Folder
from tests.support.serving import ENGINES, Place, Schema, Serving, Stage

APP: Final = "dns:app.example"
BOB: Final = Caller.user("3", organization="20")
DAN: Final = Caller.user("5", organization="20")
MINE: Final = Resource("model", "9000", Attributes(OwnedBy("20")))
THEIRS: Final = Resource("model", "9001", Attributes(OwnedBy("21")))
NOBODYS: Final = Resource("model", "9002", Attributes(Unowned()))
# The native engine speaks no TLS.
WAYS: Final = [
    *(f"{engine} {way}" for engine in ENGINES for way in ("unix", "tcp")),
    "grpcio mtls",
]


@dataclass(frozen=True)
class Way:
    """Where a sidecar listens, and with which certificates."""

    target: str
    tls: Tls | None


@pytest.fixture(scope="module")
async def ways(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Way]:
    """A sidecar with a listener for each way."""
    authority, folder = Authority(), Folder(tmp_path_factory.mktemp("tls"))
    folder.put(authority.server(), authority.pem)
    addresses = {
        "unix": "unix:" + str(stage.folder / "client-"),
        "tcp": "127.0.0.1:0",
        "mtls": "127.0.0.1:0",
    }
    listeners: list[dict[str, object]] = []
    for each in WAYS:
        engine, way = each.split()
        address = addresses[way] + (engine if way == "unix" else "")
        listeners.append({"address": address, "engine": engine, "services": ["api"]})
        if way == "mtls":
            listeners[-1]["tls"] = folder.settings(APP)
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    serving: Serving = await stage.start(url, listeners=listeners)
    client = authority.client(APP)
    tls = Tls(authority.pem, client.pem, client.key_pem)
    return {
        way: Way(address, tls if way.endswith("mtls") else None)
        for way, address in zip(WAYS, serving.sidecar.addresses, strict=True)
    }


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("way", WAYS)
async def test_decisions_come_from_the_sidecar(
    ways: dict[str, Way], kind: str, way: str
) -> None:
    """A batch is answered in order, with denials as decisions."""
    call = calls.check_visible(ANN, MINE, THEIRS, NOBODYS)
    answer = await put(kind, ways[way].target, call, tls=ways[way].tls)

    assert [True, False, True] == [each.allowed for each in answer]
    assert [None, Denial.NOT_FOUND, None] == [each.denial for each in answer]
    assert answer[1].decision_id == f"{answer.decision_id}.1"
    assert answer.revision is not None


@pytest.mark.parametrize("kind", CLIENTS)
async def test_every_question_is_answered(ways: dict[str, Way], kind: str) -> None:
    """Each call of the API goes through and back."""
    target = ways["native unix"].target

    context = await put(kind, target, calls.resolve_context(ANN))
    assert ("20", OrgRole.ADMIN) == (
        context.context.current_principal_id,
        context.context.org_role,
    )
    contexts = await put(kind, target, calls.list_contexts(Caller.user("2")))
    assert ContextKind.PERSONAL is contexts[0].kind
    writable = await put(kind, target, calls.check_writable(ANN, MINE, THEIRS))
    assert [True, False] == [each.allowed for each in writable]
    skipped = calls.check_writable(BOB, NOBODYS, skip_visible=True)
    assert "GLOBAL_RESOURCE" == (await put(kind, target, skipped))[0].reason
    creatable = calls.check_creatable(
        ANN, NewResource("model", OwnedBy("20")), NewResource("model", OwnedBy("21"))
    )
    assert [True, False] == [e.allowed for e in await put(kind, target, creatable)]
    admin = await put(kind, target, calls.check_role(ANN, AnyOrgRole.of(OrgRole.ADMIN)))
    assert admin.allowed
    platform = await put(kind, target, calls.check_role(ANN, PlatformAdmin()))
    assert (False, Denial.FORBIDDEN) == (platform.allowed, platform.decision.denial)
    query = PermissionQuery(RuleContext.DATA, "data.Invoice")
    (permissions,) = await put(kind, target, calls.get_permissions(ANN, query))
    assert AccessLevel.NONE is permissions.read
    info = await put(kind, target, calls.server_info())
    assert ("native", True) == (info.engine, "NAMED_CALLERS" in info.features)
    rules = calls.validate_access_rules(
        AccessRule("1", RuleContext.DATA, "a..b", read=AccessLevel.ALL)
    )
    assert ["MALFORMED_ITEM"] == [e.reason for e in await put(kind, target, rules)]


@pytest.mark.parametrize("kind", CLIENTS)
async def test_requirements_are_joined(ways: dict[str, Way], kind: str) -> None:
    """Authorize says whether all requirements hold, and which does not."""
    target = ways["grpcio unix"].target
    holds = calls.authorize(
        ANN,
        Visible(MINE),
        Writable(MINE),
        Creatable(NewResource("model", OwnedBy("20"))),
        InRole(AnyOrgRole.of(OrgRole.ADMIN)),
    )
    answer = await put(kind, target, holds)
    assert (True, "ALL_HOLD", 4) == (
        answer.allowed,
        answer.decision.reason,
        len(answer.decisions),
    )
    query = PermissionQuery(RuleContext.DATA, "data.Invoice")
    fails = calls.authorize(
        ANN, Visible(MINE), Permitted(query, Operation.READ, AccessLevel.MY)
    )
    assert "INSUFFICIENT_PERMISSION" == (await put(kind, target, fails)).decision.reason


@pytest.mark.parametrize("kind", CLIENTS)
async def test_filters_come_as_a_tree_and_as_sql(
    ways: dict[str, Way], kind: str
) -> None:
    """A filter is a value, and SQL when asked for."""
    target = ways["native tcp"].target
    sql = SqlOptions(
        {Field.OWNER_PRINCIPAL_ID: "m.owner_id", Field.ID: "m.id"}, Placeholders.DOLLAR
    )
    found = await put(kind, target, calls.get_list_filter(ANN, "model", sql=sql))
    root = await put(kind, target, calls.get_list_filter(Caller.user("8"), "model"))

    assert Equals(Field.OWNER_PRINCIPAL_ID, "20") == found.selection
    assert found.sql is not None
    assert ('("m"."owner_id" = $1)', (20,)) == (found.sql.text, found.sql.parameters)
    assert (Everything(), None) == (root.selection, root.sql)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_revision_can_be_asked_for(ways: dict[str, Way], kind: str) -> None:
    """An answer's revision may bound the next; a snapshot, and why, may be asked."""
    target = ways["native unix"].target
    first = await put(kind, target, calls.check_visible(ANN, MINE))
    assert first.revision is not None
    again = calls.check_visible(ANN, MINE, at_least_as_fresh=first.revision)
    whole = calls.check_visible(ANN, MINE, fully_consistent=True)

    assert (await put(kind, target, again)).all_allowed
    assert (await put(kind, target, whole)).all_allowed
    assert first[0].explanation is None
    explained = await put(kind, target, calls.check_visible(ANN, MINE, explain=True))
    assert explained[0].explanation is not None
    malformed = calls.check_visible(ANN, MINE, at_least_as_fresh="yesterday")
    with pytest.raises(InvalidRequestError) as caught:
        await put(kind, target, malformed)
    assert "UNKNOWN_REVISION" == caught.value.reason


@pytest.mark.parametrize("kind", CLIENTS)
async def test_refusals_are_typed(ways: dict[str, Way], kind: str) -> None:
    """A context that does not resolve, and what is not served, are errors."""
    target = ways["native unix"].target
    with pytest.raises(PermissionDeniedError) as caught:
        await put(kind, target, calls.resolve_context(DAN))
    assert "NOT_A_MEMBER" == caught.value.reason
    with pytest.raises(InvalidRequestError) as malformed:
        await put(kind, target, calls.check_visible(ANN))
    assert "resources" == malformed.value.field


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_stranger_gets_no_connection(ways: dict[str, Way], kind: str) -> None:
    """Neither side of mTLS speaks with one that it does not trust."""
    way = ways["grpcio mtls"]
    call = calls.check_visible(ANN, MINE)
    with pytest.raises(UnavailableError):
        await put(kind, way.target, call)
    assert way.tls is not None
    with pytest.raises(UnavailableError):
        await put(
            kind, way.target, call, tls=replace(way.tls, certificate=None, key=None)
        )
    with pytest.raises(UnavailableError):
        await put(kind, way.target, call, tls=replace(way.tls, ca=Authority().pem))


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_listener_of_another_name_is_not_asked(
    ways: dict[str, Way], kind: str
) -> None:
    """A certificate of a trusted authority is believed for its own names only."""
    way = ways["grpcio mtls"]
    assert way.tls is not None
    tls = replace(way.tls, server_name="other.example")
    with pytest.raises(UnavailableError):
        await put(kind, way.target, calls.check_visible(ANN, MINE), tls=tls)


def test_certificates_are_read_from_files(tmp_path: Path) -> None:
    """Certificates may be paths; a key without its certificate is refused."""
    authority = Authority()
    path = tmp_path / "ca.crt"
    path.write_bytes(authority.pem)
    Tls(path).credentials()
    Tls(str(path)).credentials()

    with pytest.raises(FileNotFoundError):
        Tls(tmp_path / "missing.crt").credentials()
    with pytest.raises(ValueError, match="go together"):
        Tls(path, certificate=path)

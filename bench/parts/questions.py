"""What is asked: each call, with so many elements, by whom of `world.sql`."""

from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Final

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2, filter_pb2, permission_pb2, resource_pb2
from google.protobuf.message import Message

from bench.parts.servers import Sidecar
from bench.parts.wire import CallFailedError, ask, prefixed
from bench.parts.world import Size

if TYPE_CHECKING:
    from collections.abc import Callable

ELEMENTS: Final = (1, 10, 50, 1000)
_AUTHORIZED: Final = (1, 10, 32)
_ADMIN: Final = 100
_PATIENT: Final = (("grpc-timeout", "30S"),)
_TRIES: Final = 10
_BETWEEN_TRIES: Final = 0.2
_ROLES: Final = "60000000"


@dataclass(frozen=True, slots=True)
class Question:
    """A request of an rpc; `about` tells it from others of the rpc."""

    rpc: str
    about: str
    elements: int
    request: Message

    @property
    def body(self) -> bytes:
        """As it is sent."""
        return prefixed(self.request.SerializeToString())

    @property
    def name(self) -> str:
        """For a table."""
        return f"`{self.rpc}`{self.about and f', {self.about}'}"


def verified(question: Question, sidecar: Sidecar) -> Message:
    """The sidecar's answer, once it is seen to be what was to be measured.

    Raises CallFailedError when it refuses, and ValueError when it denies.
    """
    response = getattr(api, f"{question.rpc}Response")
    answer: Message = response.FromString(_patiently(question, sidecar))
    decisions = [*getattr(answer, "decisions", ()), getattr(answer, "decision", None)]
    if not all(each.allowed for each in decisions if each is not None):
        raise ValueError(f"{question.name} was denied: {answer}")
    return answer


def _patiently(question: Question, sidecar: Sidecar) -> bytes:
    # What is read for the first time may take longer than a warm call ever will, and
    # the first call after that may still be turned away.
    target = sidecar.target(question.rpc)
    for tries_left in reversed(range(_TRIES)):
        try:
            return ask(target.address, target.method, question.body, _PATIENT)
        except CallFailedError:
            if not tries_left:
                raise
            sleep(_BETWEEN_TRIES)
    raise AssertionError("the last try returns or raises")


def home(user: int, size: Size) -> int:
    """The first organization of an ordinary user of `world.sql`."""
    return 1 + user * 7919 % size.organizations


def caller(user: int, organization: int | str) -> caller_pb2.Caller:
    """A caller who is believed."""
    return caller_pb2.Caller(user_id=str(user), organization_id=str(organization))


def admin(size: Size) -> caller_pb2.Caller:
    """An ordinary user who is an admin where they act."""
    return caller(_ADMIN, home(_ADMIN, size))


def holder(rules: int, roles: int) -> caller_pb2.Caller:
    """A user who holds so many roles of so many rules."""
    return caller(60_000_000 + 1000 * rules + roles, _ROLES)


def visible(who: caller_pb2.Caller, count: int) -> Question:
    """CheckVisible for workers of the caller's, with attributes."""
    resources = [_worker(number, who.organization_id) for number in range(count)]
    request = api.CheckVisibleRequest(caller=who, resources=resources)
    return Question("CheckVisible", "attributes given", count, request)


def _worker(number: int, owner: str) -> resource_pb2.Resource:
    attributes = resource_pb2.ResourceAttributes(
        owner_principal_id=owner, cluster_id="7"
    )
    return resource_pb2.Resource(kind="worker", id=str(number), attributes=attributes)


def looked_up(size: Size, count: int) -> Question:
    """CheckVisible for workers that are in the directory, on the caller's cluster."""
    resources = [
        # World: worker n is on cluster 2 + n % 1000.
        resource_pb2.Resource(kind="worker", id=str(1000 * (1 + number % 100)))
        for number in range(count)
    ]
    # Cluster 2 is granted to the first organization.
    user = next(each for each in range(1, size.users + 1) if home(each, size) == 1)
    request = api.CheckVisibleRequest(caller=caller(user, 1), resources=resources)
    return Question("CheckVisible", "looked up", count, request)


def of_worker(who: caller_pb2.Caller, worker: int) -> Question:
    """CheckVisible for one worker that is in the directory, whatever the answer."""
    resource = resource_pb2.Resource(kind="worker", id=str(worker))
    request = api.CheckVisibleRequest(caller=who, resources=[resource])
    return Question("CheckVisible", "looked up", 1, request)


def listed(who: caller_pb2.Caller) -> Question:
    """ListContexts."""
    request = api.ListContextsRequest(caller=who)
    return Question("ListContexts", "", 1, request)


def writable(who: caller_pb2.Caller, count: int) -> Question:
    """CheckWritable for workers of the caller's."""
    resources = [_worker(number, who.organization_id) for number in range(count)]
    request = api.CheckWritableRequest(caller=who, resources=resources)
    return Question("CheckWritable", "", count, request)


def creatable(who: caller_pb2.Caller, count: int) -> Question:
    """CheckCreatable for models of the caller's."""
    owner = who.organization_id
    resource = resource_pb2.NewResource(kind="model", owner_principal_id=owner)
    request = api.CheckCreatableRequest(caller=who, resources=[resource] * count)
    return Question("CheckCreatable", "", count, request)


def permissions(who: caller_pb2.Caller, count: int, about: str) -> Question:
    """GetPermissions for items of many parts."""
    queries = [_query(number) for number in range(count)]
    request = api.GetPermissionsRequest(caller=who, queries=queries)
    return Question("GetPermissions", about, count, request)


def _query(number: int) -> permission_pb2.PermissionQuery:
    # World: item k of a role is thing k of part k % 50.
    item = f"app.part{number % 50}.thing{number % 200}"
    return permission_pb2.PermissionQuery(
        context=permission_pb2.RULE_CONTEXT_DATA, item=item
    )


def authorize(who: caller_pb2.Caller, count: int) -> Question:
    """Authorize with requirements of visibility."""
    requirement = resource_pb2.Requirement(visible=_worker(1, who.organization_id))
    request = api.AuthorizeRequest(caller=who, requirements=[requirement] * count)
    return Question("Authorize", "", count, request)


def rules(count: int) -> Question:
    """ValidateAccessRules for good rules."""
    level = permission_pb2.ACCESS_LEVEL_MY
    each = [
        permission_pb2.AccessRule(
            role_id="a",
            context=permission_pb2.RULE_CONTEXT_DATA,
            item=f"app.thing{number}",
            view=True,
            read=level,
            create=level,
            update=level,
            delete=level,
        )
        for number in range(count)
    ]
    request = api.ValidateAccessRulesRequest(rules=each)
    return Question("ValidateAccessRules", "", count, request)


def every(size: Size) -> list[Question]:
    """Each call, with each count of elements that it takes."""
    who, one = admin(size), 1
    roles = caller_pb2.ORG_ROLE_ADMIN
    gate = resource_pb2.RoleGate(any_of_org_roles=resource_pb2.OrgRoles(roles=[roles]))
    sql = filter_pb2.SqlOptions(
        placeholder_style=filter_pb2.PLACEHOLDER_STYLE_DOLLAR,
        columns=[
            filter_pb2.SqlColumn(
                field=filter_pb2.FILTER_FIELD_OWNER_PRINCIPAL_ID, column="owner"
            ),
            filter_pb2.SqlColumn(field=filter_pb2.FILTER_FIELD_CLUSTER_ID, column="c"),
        ],
    )
    questions = [
        Question("GetServerInfo", "", one, api.GetServerInfoRequest()),
        Question("ResolveContext", "", one, api.ResolveContextRequest(caller=who)),
        Question("ListContexts", "", one, api.ListContextsRequest(caller=who)),
        Question("CheckRole", "", one, api.CheckRoleRequest(caller=who, gate=gate)),
        Question(
            "GetListFilter",
            "as SQL",
            one,
            api.GetListFilterRequest(caller=who, kind="worker", sql=sql),
        ),
    ]
    elements: tuple[Callable[[int], Question], ...] = (
        lambda count: visible(who, count),
        lambda count: looked_up(size, count),
        lambda count: writable(who, count),
        lambda count: creatable(who, count),
        lambda count: permissions(holder(200, 20), count, "20 roles of 200 rules"),
        rules,
    )
    questions += [make(count) for make in elements for count in ELEMENTS]
    return questions + [authorize(who, count) for count in _AUTHORIZED]

"""Random questions of every kind, sound ones and malformed ones."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import ORG_ROLE_ADMIN, Caller, Consistency
from authz.v1.permission_pb2 import (
    ACCESS_LEVEL_MY,
    OPERATION_READ,
    RULE_CONTEXT_DATA,
    AccessRule,
    PermissionQuery,
)
from authz.v1.resource_pb2 import (
    NewResource,
    OrgRoles,
    PermissionRequirement,
    Requirement,
    Resource,
    RoleGate,
)
from google.protobuf.message import Message

from bench.town import api_key, organization
from sidecar.transport.envoy import external_auth_pb2 as envoy

Kind = Callable[[], "Question"]

API: Final = "/authz.v1.AuthorizationService/"
EDGE: Final = "/envoy.service.auth.v3.Authorization/Check"
_PATHS: Final = ("/healthz", "/v2/me", "/v2/workers/{}", "/v2/clusters/{}", "/../{}")


@dataclass(frozen=True, slots=True)
class Question:
    """One call. `is_denied`: whoever asks can never be allowed."""

    method: str
    data: bytes
    is_malformed: bool = False
    is_denied: bool = False


class Questions:
    """Draws questions about a town of so many people."""

    def __init__(self, people: int, chance: random.Random) -> None:
        self._people = people
        self._chance = chance
        self._kinds: tuple[Kind, ...] = (
            *[self._visible] * 6,
            self._stranger,
            self._stranger,
            self._many,
            self._writable,
            self._creatable,
            self._role,
            self._permissions,
            self._authorize,
            self._filter,
            self._contexts,
            self._context,
            self._rules,
            self._info,
            *[self._edge] * 4,
            self._garbage,
            self._nonsense,
        )

    def draw(self) -> Question:
        """Any question."""
        return self._chance.choice(self._kinds)()

    def _user(self) -> int:
        # Some come often; most are rarely seen, and more than memory holds.
        few = self._chance.random() < 0.5  # noqa: PLR2004
        return self._chance.randint(1, self._people // 50 if few else self._people)

    def _caller(self, user: int) -> Caller:
        return Caller(user_id=str(user), organization_id=str(organization(user)))

    def _consistency(self) -> Consistency | None:
        drawn = self._chance.random()
        return Consistency(fully_consistent=True) if drawn < 0.02 else None  # noqa: PLR2004

    def _visible(self) -> Question:
        user = self._user()
        return _asked(
            "CheckVisible",
            api.CheckVisibleRequest(
                caller=self._caller(user),
                resources=[Resource(kind="worker", id=str(user))],
                consistency=self._consistency(),
                explain=self._chance.random() < 0.1,  # noqa: PLR2004
            ),
        )

    def _stranger(self) -> Question:
        """For an organization that the user never belongs to."""
        user = self._user()
        caller = Caller(user_id=str(user), organization_id=str(organization(user + 7)))
        resources = [Resource(kind="worker", id=str(user))]
        request = api.CheckVisibleRequest(caller=caller, resources=resources)
        return _asked("CheckVisible", request, is_denied=True)

    def _many(self) -> Question:
        count = self._chance.choice((2, 20, 200, 1000))
        resources = [
            Resource(kind="cluster", id=str(self._user())) for _ in range(count)
        ]
        caller = self._caller(self._user())
        request = api.CheckVisibleRequest(caller=caller, resources=resources)
        return _asked("CheckVisible", request)

    def _writable(self) -> Question:
        user = self._user()
        resources = [Resource(kind="cluster", id=str(user))]
        request = api.CheckWritableRequest(
            caller=self._caller(user), resources=resources
        )
        return _asked("CheckWritable", request)

    def _creatable(self) -> Question:
        user = self._user()
        new = NewResource(kind="worker", owner_principal_id=str(organization(user)))
        request = api.CheckCreatableRequest(caller=self._caller(user), resources=[new])
        return _asked("CheckCreatable", request)

    def _role(self) -> Question:
        gate = RoleGate(any_of_org_roles=OrgRoles(roles=[ORG_ROLE_ADMIN]))
        request = api.CheckRoleRequest(caller=self._caller(self._user()), gate=gate)
        return _asked("CheckRole", request)

    def _query(self, user: int) -> PermissionQuery:
        return PermissionQuery(context=RULE_CONTEXT_DATA, item=f"data.item{user}")

    def _permissions(self) -> Question:
        user = self._user()
        request = api.GetPermissionsRequest(
            caller=self._caller(user), queries=[self._query(user)]
        )
        return _asked("GetPermissions", request)

    def _authorize(self) -> Question:
        user = self._user()
        permission = PermissionRequirement(
            query=self._query(user),
            operation=OPERATION_READ,
            least_level=ACCESS_LEVEL_MY,
        )
        needs = [
            Requirement(visible=Resource(kind="worker", id=str(user))),
            Requirement(permission=permission),
        ]
        caller = Caller(api_key=api_key(user), organization_id=str(organization(user)))
        request = api.AuthorizeRequest(caller=caller, requirements=needs)
        return _asked("Authorize", request)

    def _filter(self) -> Question:
        caller = self._caller(self._user())
        request = api.GetListFilterRequest(caller=caller, kind="worker")
        return _asked("GetListFilter", request)

    def _contexts(self) -> Question:
        caller = Caller(user_id=str(self._user()))
        return _asked("ListContexts", api.ListContextsRequest(caller=caller))

    def _context(self) -> Question:
        caller = self._caller(self._user())
        return _asked("ResolveContext", api.ResolveContextRequest(caller=caller))

    def _rules(self) -> Question:
        rules = [AccessRule(role_id="role", context=RULE_CONTEXT_DATA, item=" . ")]
        request = api.ValidateAccessRulesRequest(rules=rules)
        return _asked("ValidateAccessRules", request)

    def _info(self) -> Question:
        return _asked("GetServerInfo", api.GetServerInfoRequest())

    def _edge(self) -> Question:
        user = self._user()
        message = envoy.CheckRequest()
        http = message.attributes.request.http
        http.method = b"GET"
        http.path = self._chance.choice(_PATHS).format(user).encode()
        headers = {
            "x-api-key": api_key(user),
            "x-organization-id": str(organization(user)),
            "x-request-id": str(self._chance.random()),
        }
        for name, value in headers.items():
            http.headers.add(key=name.encode(), value=value.encode())
        return Question(EDGE, message.SerializeToString())

    def _garbage(self) -> Question:
        length = self._chance.choice((1, 10, 1000, 100_000))
        data = b"\xff" + self._chance.randbytes(length)
        return Question(f"{API}CheckVisible", data, is_malformed=True)

    def _nonsense(self) -> Question:
        resources = [Resource(kind="dragon", id="\0" * 300)]
        caller = self._caller(self._user())
        request = api.CheckVisibleRequest(caller=caller, resources=resources)
        data = request.SerializeToString()
        return Question(f"{API}CheckVisible", data, is_malformed=True)


def _asked(name: str, request: Message, *, is_denied: bool = False) -> Question:
    return Question(f"{API}{name}", request.SerializeToString(), is_denied=is_denied)

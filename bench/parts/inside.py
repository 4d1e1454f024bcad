"""The sidecar's handlers in this process: bytes in, bytes out, no engine, no database.

Everything between the engine and memory is the real thing: interceptor, servicers,
service, cache, core, metrics. The database's place is taken by a document.
"""

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from authz.v1 import authorization_service_pb2_grpc as api_grpc
from typing_extensions import override

from bench.parts import questions
from bench.parts.questions import Question
from sidecar import wiring, wiring_edge, wiring_limits
from sidecar.identity.access_tokens import AccessTokens
from sidecar.identity.api_keys import ApiKeys
from sidecar.identity.work import Work
from sidecar.observe.metrics import Metrics
from sidecar.ports import Facts, FactSource, FieldTypes, Freshness, Moment, Verifiers
from sidecar.service.asking import Policy
from sidecar.service.authorization import Authorization
from sidecar.service.resolving import Resolver
from sidecar.settings import Settings
from sidecar.store.cache import CachedFacts
from sidecar.store.clock import SystemClock
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.envoy import external_auth_pb2_grpc as envoy_grpc
from sidecar.transport.ext_authz import ExtAuthzServicer
from sidecar.transport.grpc_api import AuthorizationServicer, Backing, ServerInfo
from sidecar.transport.guards import Guards
from sidecar.transport.parse import ListenerPolicy
from tests.support.memory import Document, MemoryFacts

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message
    from grpc import aio

ROUTES: Final = """
default: api
rule_sets:
  api:
    routes:
      - path: /v2/workers/{worker_id}
        methods: [GET]
        require:
          - visible: {kind: worker, id: "{path.worker_id}"}
"""
_SECRET: Final = "0123456789abcdef0123456789abcdef"  # noqa: S105  of nobody
_KEY: Final = f"key_reader_{_SECRET}"
_USER, _ORGANIZATION = 100, "1"
_ROLES, _RULES = 20, 200
_WARM: Final = 20

Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Raw: TypeAlias = Callable[[bytes, object], Coroutine[object, None, bytes]]


class _Call:
    """What a servicer looks at in a call's context."""

    @staticmethod
    def time_remaining() -> float | None:
        """No deadline."""
        return None


@dataclass(frozen=True, slots=True)
class Inside:
    """A call that can be made again and again: `request` is without its length."""

    name: str
    request: bytes
    raw: Raw

    def run(self) -> bytes:
        """Makes it once, within a running loop."""
        # Nothing is waited for but a turn, so the loop itself is left out.
        call = self.raw(self.request, _Call)
        try:
            while True:
                call.send(None)
        except StopIteration as ended:
            return cast("bytes", ended.value)


async def warm_calls(routes: Path) -> list[Inside]:
    """What the gate counts, made some times already.

    `routes` is a file to write the routes of the edge to.
    """
    built = Built.over(routes)
    who = questions.caller(_USER, _ORGANIZATION)
    asked = [
        questions.visible(who, 1),
        questions.visible(who, 50),
        questions.permissions(who, 50, ""),
        questions.authorize(who, 10),
    ]
    calls = [built.api(each) for each in asked]
    calls.append(built.edge())
    for each in calls:
        # Reads what is not in memory, which takes the loop's turns.
        await each.raw(each.request, _Call)
        # And the interpreter adapts to what it runs often.
        for _ in range(_WARM):
            each.run()
    return calls


class _Source(FactSource):
    def __init__(self, cache: CachedFacts, types: FieldTypes) -> None:
        self._cache = cache
        self._types = types

    @override
    def at_hand(self, consistency: Freshness) -> Moment | None:
        del consistency
        epoch = self._cache.epoch
        return None if epoch is None else Moment(epoch, "1.2.3")

    @override
    def open(
        self, consistency: Freshness, deadline: float
    ) -> AbstractAsyncContextManager[Facts]:
        del consistency
        return self._cache.within(deadline, "1.2.3")

    @property
    @override
    def field_types(self) -> FieldTypes:
        return self._types


class _Handlers:
    """Takes the place of a server: keeps what is registered."""

    def __init__(self) -> None:
        self.found: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Those are registered by name as well."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, Handler]
    ) -> None:
        """Keeps them by their method."""
        for name, handler in handlers.items():
            self.found[f"/{service}/{name}"] = handler


@dataclass(frozen=True, slots=True)
class Built:
    """A sidecar without servers, and the parts that handlers are made of."""

    handlers: dict[str, Handler]
    service: Authorization
    resolver: Resolver
    source: FactSource
    policy: Policy
    metrics: Metrics

    @classmethod
    def over(cls, routes: Path) -> "Built":
        """`routes` is a file to write the routes of the edge to."""
        routes.write_text(ROUTES, encoding="utf-8")
        settings = Settings.model_validate(
            {
                "resource_kinds": {
                    "worker": {"visibility": "CLUSTER_RESOURCE", "cluster": True}
                },
                "edge": {"routes_file": routes},
            }
        )
        clock, metrics, policy = SystemClock(), Metrics(), wiring.policy_of(settings)
        facts = MemoryFacts(document())
        cache = CachedFacts(facts, clock)
        # As if the feed never ended.
        cache.live_until = inf
        verifiers = Verifiers(ApiKeys(clock), AccessTokens([], clock, Work(), 16_384))
        source = _Source(cache, facts.field_types)
        service = Authorization(source, verifiers, policy)
        read = wiring_edge.routes_of(settings)
        edge = wiring_edge.edge_of(settings, service, read, clock, metrics)
        assert edge is not None  # noqa: S101  there are routes
        info = ServerInfo("0", "none", "", None, serves_reflection=False)
        backing = Backing(service, policy.kinds, clock, metrics)
        servicer = AuthorizationServicer(backing, ListenerPolicy(), info, is_seen=None)
        at_edge = ExtAuthzServicer(edge, believes_peers=True)
        server = _Handlers()
        load = wiring_limits.load_of(settings)
        guards = Guards(cast("aio.Server", server), metrics, load)
        taker = cast("grpc.Server", guards)
        api_grpc.add_AuthorizationServiceServicer_to_server(servicer, taker)
        envoy_grpc.add_AuthorizationServicer_to_server(at_edge, taker)
        return cls(
            server.found,
            service,
            Resolver(verifiers, facts.field_types.organization),
            source,
            policy,
            metrics,
        )

    def api(self, question: Question) -> Inside:
        """A call of the API."""
        method = f"/authz.v1.AuthorizationService/{question.rpc}"
        name = f"{question.rpc} {question.elements}"
        return self._call(name, method, question.request.SerializeToString())

    def edge(self) -> Inside:
        """An admission at the edge."""
        method = "/envoy.service.auth.v3.Authorization/Check"
        return self._call("edge", method, edge_request().SerializeToString())

    def _call(self, name: str, method: str, request: bytes) -> Inside:
        raw = cast("Raw", self.handlers[method].unary_unary)
        return Inside(name, request, raw)


def edge_request() -> envoy.CheckRequest:
    """What Envoy asks about a request with an API key."""
    http = {b"x-api-key": _KEY.encode(), b"x-organization-id": b"1"}
    message = envoy.CheckRequest()
    request = message.attributes.request.http
    request.method, request.path = b"GET", b"/v2/workers/7"
    for name, value in http.items():
        request.header_map.headers.add(key=name, raw_value=value)
    return message


def document() -> Document:
    """An organization, its admin with a key and roles, and a worker of its own."""
    roles = [f"role-{number}" for number in range(_ROLES)]
    digest = hashlib.sha256(_SECRET.encode()).hexdigest()
    return {
        "principals": [
            {"id": "1", "kind": "org", "name": "organization"},
            {"id": "1100", "kind": "user", "name": "user"},
        ],
        "users": [{"id": str(_USER), "principal_id": "1100"}],
        "principal_memberships": [
            {
                "id": "1",
                "member_principal_id": "1100",
                "parent_principal_id": "1",
                "role": "admin",
            }
        ],
        "api_keys": [
            {
                "id": "1",
                "user_id": str(_USER),
                "lookup_id": "reader",
                "secret_hash": f"sha256:{digest}",
            }
        ],
        "resources": [
            {"kind": "worker", "id": "7", "owner_principal_id": "1", "cluster_id": "7"}
        ],
        "roles": [{"id": role, "label": role} for role in roles],
        "membership_roles": [{"membership_id": "1", "role_id": each} for each in roles],
        "access_rules": [
            {
                "id": f"{role}-{rule}",
                "role_id": role,
                "context": "DATA",
                "item": f"app.part{rule % 50}.thing{rule}",
                "view": True,
                "read": "g",
                "create": "m",
                "update": "m",
                "delete": "n",
            }
            for role in roles
            for rule in range(_RULES)
        ],
    }

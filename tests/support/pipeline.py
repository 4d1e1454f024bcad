"""Asks the real servicer without a network: message in, message out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from authz.v1 import authorization_service_pb2 as api
from google.protobuf.message import Message
from typing_extensions import override

from sidecar.command.bare_json import Json, from_bare, to_bare
from sidecar.core.decision import Decision
from sidecar.core.ids import IdType
from sidecar.core.model import ResourceKind, Visibility
from sidecar.core.permissions import RolePrecedence
from sidecar.identity.access_tokens import AccessTokens
from sidecar.identity.api_keys import ApiKeys
from sidecar.identity.work import Work
from sidecar.ports import FactSource, Verifiers
from sidecar.service.asking import Policy
from sidecar.service.authorization import Authorization
from sidecar.transport.grpc_api import (
    AuthorizationServicer,
    Backing,
    Context,
    DecisionCounter,
    ServerInfo,
)
from sidecar.transport.parse import ListenerPolicy
from sidecar.transport.status import RefusedError, code_of
from tests.spec.world import Kind, World
from tests.support.memory import MemoryFacts

SILENT = frozenset({"message", "decision_id", "revision", "explanation"})


@dataclass
class ManualClock:
    """A clock that stands still until it is set."""

    now: float = 1_000.0
    today: float = 1_767_225_600.0

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return self.now

    def wall(self) -> float:
        """Seconds since 1970."""
        return self.today


@dataclass
class Tally(DecisionCounter):
    """Remembers which decisions were counted."""

    counted: list[tuple[str, Decision]] = field(default_factory=list)

    @override
    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        """Counts decisions of a call."""
        self.counted += [(rpc, decision) for decision in decisions]


class _Call:
    """What a servicer looks at in a call's context."""

    def time_remaining(self) -> float | None:
        return None


def resource_kinds(kinds: Mapping[str, Kind]) -> dict[str, ResourceKind]:
    """Declared kinds as the core has them."""
    return {
        name: ResourceKind(name, Visibility(kind.visibility), kind.owner, kind.cluster)
        for name, kind in kinds.items()
    }


def servicer_of(
    source: FactSource,
    kinds: Mapping[str, Kind],
    role_precedence: str = "union",
    policy: ListenerPolicy | None = None,
) -> AuthorizationServicer:
    """The servicer over facts."""
    clock = ManualClock()
    declared = resource_kinds(kinds)
    service = Authorization(
        source,
        Verifiers(ApiKeys(clock), AccessTokens([], clock, Work(), 16_384)),
        Policy(declared, RolePrecedence(role_precedence)),
    )
    return AuthorizationServicer(
        Backing(service, declared, clock, Tally()),
        policy or ListenerPolicy(),
        ServerInfo("0", "none", "", None, serves_reflection=False),
    )


async def ask(
    servicer: AuthorizationServicer, call: str, request: Mapping[str, object]
) -> dict[str, object]:
    """The answer to a call in bare JSON, or the status with which it ends."""
    message = from_bare(request, request_type(call))
    try:
        response = await getattr(servicer, call)(message, cast("Context", _Call()))
    except RefusedError as refused:
        return {"status": code_of(refused).name, "reason": refused.reason.name}
    return told(to_bare(response))


def request_type(call: str) -> type[Message]:
    """The request's type of an rpc."""
    found: type[Message] = getattr(api, f"{call}Request")
    return found


def told(answer: Mapping[str, Json]) -> dict[str, object]:
    """An answer without what is for people or differs from call to call."""
    return cast("dict[str, object]", _without_silent(dict(answer)))


def _without_silent(value: Json) -> Json:
    if isinstance(value, dict):
        return {
            key: _without_silent(each)
            for key, each in value.items()
            if key not in SILENT
        }
    if isinstance(value, list):
        return [_without_silent(each) for each in value]
    return value


async def ask_world(
    world: World, call: str, request: Mapping[str, object]
) -> dict[str, object]:
    """The answer that the core gives in a world, through service and transport."""
    facts = MemoryFacts(world.document, IdType(world.organization_id_type))
    servicer = servicer_of(facts, world.kinds, world.role_precedence)
    return await ask(servicer, call, request)

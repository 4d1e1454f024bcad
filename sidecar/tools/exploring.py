"""Questions about everybody, put to a database directly: no server is needed."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from sidecar import wiring
from sidecar.core.authorize import MustPermit
from sidecar.core.decision import Denied
from sidecar.core.ids import PrincipalId, UserId
from sidecar.core.model import User
from sidecar.ports import FieldTypes
from sidecar.service.exploring import Allowance, Explorer, Question
from sidecar.service.surveying import Finding, Surveyor
from sidecar.service.ways import Tally, World
from sidecar.settings import Settings
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.enumeration import open_moment


class NotAskableError(Exception):
    """What is asked about cannot be; says why in one line."""


@dataclass(slots=True)
class Malformed:
    """Counts stored rows that fail closed, each time that one is read."""

    count: int = 0

    def tell(self, _: Anomaly) -> None:
        """Counts one."""
        self.count += 1


async def who_can(
    settings: Settings,
    question: Question,
    within: str | None,
    tally: Tally,
    found: Callable[[Allowance], None],
) -> Malformed:
    """Tells `found` of each user, in each context, who can; says what was malformed.

    Raises:
        NotAskableError: the kind is not declared, the organization is no id.
        StoreError: the database cannot serve.
        CouldNotDecideError: the database fails on the way.
    """
    _refuse_unknown_kind(settings, question)
    malformed = Malformed()
    async with open_world(settings, malformed) as world:
        organization = _organization(within, world.field_types)
        explorer = Explorer(world)
        async with aclosing(explorer.who_can(question, organization, tally)) as some:
            async for each in some:
                found(each)
    return malformed


async def access_of(
    settings: Settings,
    user_id: str,
    tally: Tally,
    found: Callable[[User | Denied | Finding], None],
    *,
    listed: int,
) -> Malformed:
    """Tells `found` who a user is, and what it may do in each of its contexts.

    `listed`: how many rows of each kind are told by id. Raises as `who_can` does.
    """
    malformed = Malformed()
    async with open_world(settings, malformed) as world:
        surveyor = Surveyor(world, listed=listed)
        user = await surveyor.user(UserId(user_id))
        found(user)
        if isinstance(user, User):
            async with aclosing(surveyor.access_of(user, tally)) as some:
                async for each in some:
                    found(each)
    return malformed


@asynccontextmanager
async def open_world(settings: Settings, malformed: Malformed) -> AsyncIterator[World]:
    """What the database of the settings holds at one moment."""
    clock = SystemClock()
    # A standby will do: what is read is one moment of it.
    pool = replace(
        wiring.store_settings(settings).pool,
        smallest=1,
        largest=1,
        wanted="any",
    )
    async with open_moment(pool, clock, malformed.tell) as moment:
        yield World(
            moment.facts,
            moment.directory,
            moment.field_types,
            wiring.policy_of(settings),
            clock.wall(),
        )


def _refuse_unknown_kind(settings: Settings, question: Question) -> None:
    if isinstance(question, MustPermit):
        return
    kind, declared = question.resource.kind, sorted(settings.resource_kinds)
    if kind not in declared:
        known = ", ".join(f"`{each}`" for each in declared) or "none"
        raise NotAskableError(
            f"kind `{kind}` is not declared in the settings; declared: {known}"
        )


def _organization(within: str | None, types: FieldTypes) -> PrincipalId | None:
    if within is None:
        return None
    if not types.organization.is_requestable(within):
        raise NotAskableError(f"`{within}` is not the id of an organization")
    return PrincipalId(within)

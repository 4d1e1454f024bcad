"""The chart's limits of memory hold what the caches may weigh, as its page reckons."""

import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final, cast
from uuid import uuid4

import pytest
import yaml

from sidecar.core.ids import MembershipId, PrincipalId, UserId
from sidecar.core.model import (
    Membership,
    OrgRole,
    Principal,
    PrincipalKind,
    Standing,
    UserRecord,
)
from sidecar.ports import FactKey, StandingKey, UserKey
from sidecar.settings import Settings, load
from sidecar.store.shelf import Shelf
from sidecar.store.weights import CacheSizes, Limit
from sidecar.wiring import store_settings
from tests.deploy.charts import (
    CHART,
    VALUE_SETS,
    Object,
    at,
    needs_tools,
    render,
    settings_in,
)
from tests.deploy.tables import codes, rows

AT_REST: Final = 66.0
FOR_REQUESTS: Final = 100.0
KIB_OF_A_STANDING: Final = 1.6
KIB_OF_ANOTHER: Final = 1.0
VALUES: Final = cast("Object", yaml.safe_load((CHART / "values.yaml").read_text()))
GROUPS: Final = ("users", "roles", "resources")
_UNITS: Final = {"Mi": 1, "Gi": 1024}
# What is rendered once serves every test of the same worker.
pytestmark = pytest.mark.xdist_group("chart")


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_full_caches_fit_the_limit(values: Path, tmp_path: Path) -> None:
    """With each set: by its own weights and limit, or by those of the chart."""
    needs_tools()
    file = tmp_path / "sidecar.yaml"
    file.write_text(settings_in(render(values)), encoding="utf-8")
    given = cast("Object", yaml.safe_load(values.read_text()))
    limited = given if "resources" in given else VALUES

    assert _needed(load(file)) <= _mib(
        str(at(limited, "resources", "limits")["memory"])
    )


def test_the_page_has_weights_that_fit_larger_limits() -> None:
    """Each row of its table; the first is what the chart has."""
    found = [row for row in rows("kubernetes.md") if "`standings`" in row]

    for row in found:
        (limit,) = codes(row["`resources.limits.memory`"])
        assert _needed(_settings(row)) <= _mib(limit), limit

    assert at(VALUES, "settings", "cache") == _settings(found[0]).cache.model_dump()
    assert len(found) > 1


def test_the_sidecars_own_defaults_would_not_fit() -> None:
    """So that the tests above can fail, and the chart has a reason for its own."""
    assert 4.4 == round(_needed(Settings()) / 1024, 1)


@pytest.mark.parametrize(
    ("key_type", "kib"), [(UserKey, KIB_OF_ANOTHER), (StandingKey, KIB_OF_A_STANDING)]
)
def test_what_one_weighs_takes_no_more(key_type: type, kib: float) -> None:
    """Facts with nothing in them, the most for their weight, after others went.

    What Python asks for is counted; what it rounds up to is little beside it.
    """
    make = _MADE[key_type]
    held = 4_000
    tracemalloc.start()
    try:
        shelf = Shelf[object](key_type, Limit(held, held))
        for _ in range(2 * held):
            shelf.put(*make())
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert held == shelf.stats().weight
    assert taken / 1024 / held <= kib


def _needed(settings: Settings) -> float:
    """MiB that a sidecar takes with everything full, by the sum on the page."""
    sizes = store_settings(settings).cache
    limits = [cast("Limit", getattr(sizes, each.name)) for each in fields(CacheSizes)]
    whole = sum(each.present + each.absent for each in limits)
    standings = sizes.standings.present
    kib = KIB_OF_A_STANDING * standings + KIB_OF_ANOTHER * (whole - standings)
    return AT_REST + kib / 1024 + FOR_REQUESTS


def _settings(row: Mapping[str, str]) -> Settings:
    each = int(row["`users`, `roles`, `resources`, each"])
    named = {name: int(row[f"`{name}`"]) for name in ("standings", "others", "absent")}
    return Settings.model_validate({"cache": dict.fromkeys(GROUPS, each) | named})


def _mib(quantity: str) -> int:
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]


def _user() -> tuple[FactKey[object], object]:
    user = UserId(str(uuid4()))
    record = UserRecord(
        user, is_platform_admin=False, is_system=False, is_active=True,
        principal=_principal(PrincipalKind.USER),
    )  # fmt: skip
    return UserKey(user), record


def _standing() -> tuple[FactKey[object], object]:
    organization = _principal(PrincipalKind.ORG)
    membership = Membership(MembershipId(str(uuid4())), OrgRole.USER)
    standing = Standing(organization, membership, (), frozenset(), ())
    return StandingKey(PrincipalId(str(uuid4())), organization.id), standing


def _principal(kind: PrincipalKind) -> Principal:
    return Principal(PrincipalId(str(uuid4())), kind, str(uuid4()), is_deleted=False)


_MADE: Final[dict[type, Callable[[], tuple[FactKey[object], object]]]] = {
    UserKey: _user,
    StandingKey: _standing,
}

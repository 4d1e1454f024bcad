"""The decision cases over the shipped SQL and the platforms' own tables alone.

Every case that fits a place is asked. A platform cannot express all facts of a world;
then the rules say what the answer is without those. Which answers that changes is
listed in unfit.yaml, by what is lacking.
"""

from pathlib import Path

import pytest
import yaml

from tests.adoption.conftest import Adopted
from tests.adoption.worlds import in_ids_of, narrow, renamed
from tests.spec.cases import Case, load_cases
from tests.spec.reference import answer
from tests.store.foreign.shipped import Platform

PLACES = {Platform.GPUSTACK: "bigint", Platform.CAMEL_CASE: "uuid"}
PLAYED = [
    (platform, case)
    for platform, place in PLACES.items()
    for case in load_cases()
    if case.runs_on(place)
]
NAMES = [f"{platform.value}-{case.name}".replace("/", "|") for platform, case in PLAYED]

UNFIT = yaml.safe_load(Path(__file__).with_name("unfit.yaml").read_text("utf-8"))


def asked(platform: Platform, case: Case) -> tuple[dict[str, object], object]:
    """The request in the narrowed world's words, and what the rules answer there."""
    request = renamed(platform, case.world, case.request)
    assert isinstance(request, dict)
    return request, answer(narrow(platform, case.world), case.call, request)


def fits(platform: Platform, case: Case) -> bool:
    """Whether the platform can express what the case's answer depends on."""
    _, expected = asked(platform, case)
    return expected == renamed(platform, case.world, case.answer)


@pytest.mark.parametrize(("platform", "case"), PLAYED, ids=NAMES)
async def test_shipped_views_answer_as_the_rules_demand(
    adopted: Adopted, platform: Platform, case: Case
) -> None:
    """Through gRPC, with the reader's rights alone, the rules' answer is given."""
    serving = await adopted.shared(platform, case)
    request, expected = asked(platform, case)
    translated = in_ids_of(platform, request)
    assert isinstance(translated, dict)

    actual = await serving.ask("native", case.call, translated)

    assert in_ids_of(platform, expected) == actual


@pytest.mark.parametrize("platform", Platform, ids=lambda each: each.value)
def test_what_does_not_fit_is_listed(platform: Platform) -> None:
    """The cases whose answer differs, because the platform lacks facts, are these."""
    listed = {name for names in UNFIT[platform.value].values() for name in names}
    unfit = {
        case.name
        for each, case in PLAYED
        if each is platform and not fits(platform, case)
    }

    assert listed == unfit


@pytest.mark.parametrize(
    ("platform", "at_most"), [(Platform.GPUSTACK, 12), (Platform.CAMEL_CASE, 48)]
)
def test_no_more_than_these_do_not_fit(platform: Platform, at_most: int) -> None:
    """The list does not grow unseen: more than so many are a step back."""
    listed = [name for names in UNFIT[platform.value].values() for name in names]

    assert at_most >= len(listed)

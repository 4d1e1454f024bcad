"""What each sidecar costs a database does not depend on how many others there are."""

import asyncio
from collections.abc import Iterator

import pytest

from bench.many_feeds import Cost, cost_of, roomy

# Each process would make hundreds of its own, at once.
pytestmark = pytest.mark.xdist_group("many feeds")

FEW, MANY = 30, 300


@pytest.fixture(scope="module")
def costs() -> Iterator[tuple[Cost, Cost]]:
    """Of few feeds and of many, on one database."""
    with roomy() as node:
        yield (
            asyncio.run(cost_of(node, FEW, 2, 400)),
            asyncio.run(cost_of(node, MANY, 2, 50)),
        )


def test_beats_are_shared(costs: tuple[Cost, Cost]) -> None:
    """One beat serves all who listen; each on its own would send one a second."""
    few, many = costs

    assert 0 < few.quiet.beats
    assert many.quiet.beats < FEW


def test_transactions_of_each_are_as_many(costs: tuple[Cost, Cost]) -> None:
    """A question and a beat, about once a second each."""
    few, many = costs

    assert many.quiet.transactions / MANY < 2 * few.quiet.transactions / FEW


def test_a_change_costs_each_the_same(costs: tuple[Cost, Cost]) -> None:
    """Processor time of the database for one feed and one change."""
    few, many = costs

    assert 0 < many.burst.work < 2 * few.burst.work


def test_none_of_many_falls_behind_the_bound(costs: tuple[Cost, Cost]) -> None:
    """All of them share this process, and hear of beats in time all the same."""
    _, many = costs

    assert many.quiet.staleness < 10

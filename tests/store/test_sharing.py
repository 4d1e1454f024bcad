"""Equal grants are one object, and what is kept for that is bounded."""

from sidecar.core.ids import ClusterId
from sidecar.store.sharing import SharedSets, shared_clusters


def test_equal_sets_are_one_object() -> None:
    """Two members of an organization share what it was granted."""
    assert shared_clusters(["7", "8"]) is shared_clusters(iter(["8", "7"]))


def test_large_sets_are_not_kept_to_be_found() -> None:
    """They share their ids only, so that memory stays bounded."""
    ids = [str(number) for number in range(10_000)]
    one, other = shared_clusters(ids), shared_clusters(ids)

    assert one == other
    assert one is not other
    assert {id(each) for each in one} == {id(each) for each in other}


def test_sets_are_found_again_in_whatever_turn() -> None:
    """Members of many organizations ask one after the other, over and over."""
    sets = SharedSets(4_000)
    many = [(str(number), "x") for number in range(1_000)]
    first = [sets.first_of(_set(*each)) for each in many]

    again = [sets.first_of(_set(*each)) for each in many]

    assert all(one is other for one, other in zip(first, again, strict=True))


def test_what_is_kept_to_be_found_is_bounded() -> None:
    """When there is no room, all are forgotten, and found anew."""
    sets = SharedSets(4)
    one = sets.first_of(_set("1"))
    assert one is sets.first_of(_set("1"))

    sets.first_of(_set("2", "3"))

    assert one is not sets.first_of(_set("1"))


def _set(*ids: str) -> frozenset[ClusterId]:
    return frozenset(map(ClusterId, ids))

"""Equal grants are one object, and what is kept for that is bounded."""

from sidecar.store.sharing import shared_clusters


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

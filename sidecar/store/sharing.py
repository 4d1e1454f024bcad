"""What thousands of callers hold alike, memory holds once."""

from collections.abc import Iterable
from sys import intern
from typing import Final

from sidecar.core.ids import ClusterId

# Clusters in the sets that are kept to be found again: what bounds the memory for it.
_KEPT: Final = 16_384
_CLUSTERS: Final = 256


class SharedSets:
    """Equal sets as one object, of so many clusters in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = 0
        self._sets: dict[frozenset[ClusterId], frozenset[ClusterId]] = {}

    def first_of(self, found: frozenset[ClusterId]) -> frozenset[ClusterId]:
        """The first of those that are equal to this one."""
        known = self._sets.get(found)
        if known is not None:
            return known
        weight = 1 + len(found)
        if self._kept + weight > self._most:
            # To put out the oldest would find none where the members of a few more
            # organizations than there is room for ask in turn.
            self._sets.clear()
            self._kept = 0
        self._kept += weight
        self._sets[found] = found
        return found


_sets: Final = SharedSets(_KEPT)


def shared_clusters(ids: Iterable[str]) -> frozenset[ClusterId]:
    """These clusters, as the same objects as before where that is easily found.

    Members of an organization mostly have the same few.
    """
    found = frozenset(ClusterId(intern(each)) for each in ids)
    return _sets.first_of(found) if len(found) <= _CLUSTERS else found

"""What thousands of callers hold alike, memory holds once."""

from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import Final

from sidecar.core.ids import ClusterId

# Members of an organization mostly have the same few clusters. So many sets of so many
# are kept to be found again, which is what bounds the memory that this takes.
_SETS: Final = 512
_CLUSTERS: Final = 256


def shared_clusters(ids: Iterable[str]) -> frozenset[ClusterId]:
    """These clusters, as the same objects as before where that is easily found."""
    found = frozenset(ClusterId(intern(each)) for each in ids)
    return _first_of(found) if len(found) <= _CLUSTERS else found


@lru_cache(maxsize=_SETS)
def _first_of(found: frozenset[ClusterId]) -> frozenset[ClusterId]:
    return found

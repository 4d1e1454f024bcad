"""What is remembered of requests, and what is not."""

import pytest

from sidecar.transport import parse
from sidecar.transport.status import MalformedFieldError

LIMITS = parse.Limits()


def test_item_that_fits_is_checked_once() -> None:
    """The same few items are asked for again and again."""
    parse.parse_item("data.models.gpu", "item", LIMITS)
    before = parse._is_known_item.cache_info()
    parse.parse_item("data.models.gpu", "item", LIMITS)

    assert before.hits + 1 == parse._is_known_item.cache_info().hits


@pytest.mark.parametrize("length", [513, 100_000])
def test_item_that_is_too_long_is_not_remembered(length: int) -> None:
    """Whoever sends large items fills no memory with them."""
    before = parse._is_known_item.cache_info().misses
    with pytest.raises(MalformedFieldError):
        parse.parse_item("x" * length, "item", LIMITS)

    assert before == parse._is_known_item.cache_info().misses

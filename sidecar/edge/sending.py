"""What may be sent on in a header: an id that arrives as it was sent."""

import re
from functools import lru_cache
from typing import Final

from sidecar.core.model import TenantContext

MOST_BYTES: Final = 16 * 1024
# Envoy refuses control characters, and blanks at an end are cut off on the way: what
# arrives would be the id of somebody else.
_WHOLE: Final = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")


def is_sendable(context: TenantContext) -> bool:
    """Whether every id of a context can stand in a header."""
    current = context.current_principal_id
    return (
        is_value(context.user.id)
        and (current is None or is_value(current))
        and is_value(context.write_principal_id)
    )


# The ids are the database's, and the same few of them come again and again.
@lru_cache(4096)
def is_value(text: str) -> bool:
    """Whether a text can stand in a header, and arrives as it was sent."""
    return _WHOLE.fullmatch(text) is not None and len(text.encode()) <= MOST_BYTES

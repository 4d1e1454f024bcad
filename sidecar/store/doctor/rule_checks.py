"""What a valid access rule is, a second time: as conditions on stored rows.

They hold of the same rules as core.rules finds faults in, which a test compares.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_LEVELS: Final = ("read", "create", "update", "delete")
_IS_DATA: Final = "lower(r.context::text) = 'data'"
# Every character that Unicode calls white space, and the four that Python adds.
_BLANKS: Final = (
    r"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a"
    r"\u2028\u2029\u202f\u205f\u3000]"
)


def _rank(level: str) -> str:
    # An unknown level is no fault of this kind, and counts as none.
    text = f'lower(r."{level}"::text)'
    return f"case {text} when 'a' then 3 when 'g' then 2 when 'm' then 1 else 0 end"


_UNKNOWN_LEVEL: Final = " or ".join(
    f"lower(r.\"{level}\"::text) not in ('n', 'm', 'g', 'a')" for level in _LEVELS
)
_EXCEEDS: Final = " or ".join(
    f"{_rank(level)} > {_rank('read')}" for level in _LEVELS[1:]
)

# By code: what is wrong, the condition over the alias `r`, and what to do.
RULE_FAULTS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "rule-context-unknown": (
            "the context of a rule is none of DATA, UI, RESOURCE",
            "coalesce(lower(r.context::text), '') not in ('data', 'ui', 'resource')",
            "let the view give one of these words, or delete the rule",
        ),
        "rule-level-unknown": (
            "a level of a rule is none of n, m, g, a",
            _UNKNOWN_LEVEL,
            "let the view give one of these words, or null",
        ),
        "rule-item-malformed": (
            "the item of a rule has an empty segment or a blank",
            f"r.item::text !~ '^[^.]+(\\.[^.]+)*$' or r.item::text ~ '{_BLANKS}'",
            "write it as segments between dots, or let it be null for every item",
        ),
        "rule-view-missing": (
            "a rule does not say view",
            "r.view is null",
            "let it be true or false",
        ),
        "rule-read-missing": (
            "a DATA rule does not say read",
            f"{_IS_DATA} and r.read is null",
            "let it be one of n, m, g, a",
        ),
        "rule-exceeds-read": (
            "a level of a DATA rule exceeds read",
            f"{_IS_DATA} and r.read is not null and ({_EXCEEDS})",
            "raise read, or lower the others",
        ),
    }
)

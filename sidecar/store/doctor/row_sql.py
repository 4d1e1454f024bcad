"""Relations and comparisons as SQL, whatever types the ids of a database have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sidecar.store.doctor.shape import Shape
from sidecar.store.relations import RELATIONS, Form

# A column by the alias of its relation, the relation, and its name.
Aliased = tuple[str, str, str]

# What names a row for people, over the alias `r`.
KEYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(RELATIONS, "r.id::text"),
    "user_identities": "concat_ws('/', r.issuer, r.subject)",
    "cluster_access": "concat_ws('/', r.cluster_id, r.principal_id)",
    "resources": "concat_ws('/', r.kind, r.id)",
    "membership_roles": "concat_ws('/', r.membership_id, r.role_id)",
    "feature_access_roles": "concat_ws('/', r.feature_access_id, r.role_id)",
}

_INTEGERS: Final = frozenset({"bigint", "integer"})
_TEXTS: Final = frozenset({"text", "character varying"})


@dataclass(frozen=True, slots=True)
class Tables:
    """The relations of a schema, for statements."""

    shape: Shape

    def has(self, *relations: str) -> bool:
        """Whether all of them are there with all their columns."""
        return all(self.shape.complete(each) is not None for each in relations)

    def name(self, relation: str) -> str:
        """A relation as SQL writes it."""
        return self.shape.relations[relation].sql

    def is_table(self, relation: str) -> bool:
        """Whether it is a table, so that a statement can change its rows."""
        return self.shape.relations[relation].is_table

    def plain(self, relation: str, column: str) -> str:
        """A column over the alias `r`, as it groups: labels of enums as text."""
        forms = {each.name: each.form for each in RELATIONS[relation]}
        return f"r.{column}::text" if forms[column] is Form.TEXT else f"r.{column}"

    def equal(self, left: Aliased, right: Aliased) -> str:
        """That two ids are the same one."""
        return self._compared(left, "=", right)

    def differ(self, left: Aliased, right: Aliased) -> str:
        """That two ids are there and are not the same one."""
        return self._compared(left, "<>", right)

    def malformed_id(self, relation: str) -> str:
        """When an id over `r` is one that nobody can name; empty: none can be."""
        type_name = self.shape.relations[relation].columns.get("id")
        if type_name in _TEXTS:
            return "r.id = ''"
        # An organization is asked for by its number, from zero on.
        is_number = type_name in _INTEGERS and relation == "principals"
        return "r.id < 0" if is_number else ""

    def _compared(self, left: Aliased, operator: str, right: Aliased) -> str:
        one, other = (f"{each[0]}.{each[2]}" for each in (left, right))
        types = {self.shape.id_type(*each[1:]) for each in (left, right)}
        if len(types) == 1 or types <= _INTEGERS or types <= _TEXTS:
            return f"{one} {operator} {other}"
        return f"{one}::text {operator} {other}::text"

"""The checks of every declared kind, made once from the policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sidecar.core.checks import OfResource, check_visible, check_writable
from sidecar.core.decision import Check
from sidecar.core.model import ResourceKind
from sidecar.service.asking import Policy
from sidecar.service.holding import Remembered

KindChecks: TypeAlias = Mapping[str, Check[OfResource]]


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of every declared kind, by its name, and what roles allow."""

    kinds: Mapping[str, ResourceKind]
    remembered: Remembered
    visible: KindChecks
    writable: KindChecks
    writable_alone: KindChecks

    @classmethod
    def of(cls, policy: Policy) -> "Checks":
        """The checks of a policy."""
        seen = {name: kind.visibility for name, kind in policy.kinds.items()}
        return cls(
            policy.kinds,
            Remembered(policy.role_precedence),
            {name: check_visible(each) for name, each in seen.items()},
            {name: check_writable(each) for name, each in seen.items()},
            {
                name: check_writable(each, skip_visible=True)
                for name, each in seen.items()
            },
        )

    def writable_checks(self, *, skip_visible: bool) -> KindChecks:
        """The checks whether rows are writable; with `skip_visible`, only that."""
        return self.writable_alone if skip_visible else self.writable

"""What is found about everybody, printed as it is found, for people or as JSON."""

import json
from dataclasses import dataclass
from typing import assert_never

from sidecar.command.bare_json import Json
from sidecar.command.findings_words import (
    Fields,
    context_json,
    permissions_json,
    permissions_words,
    pin_words,
    role_json,
    role_words,
    rules_json,
    rules_words,
    through_words,
    user_words,
    way_json,
    way_words,
)
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain
from sidecar.core.decision import Denied
from sidecar.core.model import TenantContext, User
from sidecar.service.exploring import Allowance
from sidecar.service.surveying import (
    Entered,
    Finding,
    Granted,
    Held,
    Listed,
    Reached,
)
from sidecar.service.ways import Tally

_NOBODY = "nobody: unknown, inactive, or without a live principal of kind user"


@dataclass(frozen=True, slots=True)
class _Page:
    screen: Screen
    is_json: bool

    def line(self, text: str, style: str = "") -> None:
        """One line for people."""
        if not self.is_json:
            self.screen.show(plain(text.rstrip(), style))

    def document(self, name: str, content: Fields) -> None:
        """One line for programs."""
        if self.is_json:
            present = {key: each for key, each in content.items() if each is not None}
            self.screen.show(plain(json.dumps({name: present}, ensure_ascii=False)))

    def finish(self, tally: Tally, malformed: int, *, is_nobody: bool) -> ExitCode:
        """Says whether that was all."""
        is_complete = not tally.is_cut_short
        content: Fields = {
            "complete": is_complete,
            "results": tally.found,
            "candidates": tally.tried,
            "malformed": malformed,
            "exists": not tally.is_about_nothing,
        }
        self.document("end", content)
        if tally.is_about_nothing:
            self.line("there is no such row, so nobody can")
        if malformed:
            self.line(f"{malformed} times a malformed row was met, and gave nothing")
        counts = f"{tally.found} results from {tally.tried} candidates"
        if is_complete:
            self.line(f"{counts}, complete", "dim")
            return ExitCode.DENIED if is_nobody else ExitCode.ALLOWED
        limit = "--limit" if not tally.has_room else "--max-candidates"
        self.line(f"{counts}, INCOMPLETE: {limit} is reached, there may be more", "red")
        return ExitCode.UNDECIDED


class Allowances:
    """Who can, one context to a line."""

    def __init__(self, screen: Screen, *, is_json: bool) -> None:
        self._page = _Page(screen, is_json)

    def begin(self, question: str) -> None:
        """Prints the question."""
        self._page.line(question, "bold")

    def show(self, found: Allowance) -> None:
        """Prints one."""
        user, context, way = found.user, found.context, found.way
        through = through_words(found.through, context)
        granted = f": {through}" if through else ""
        why = f"{found.decision.reason.text}{granted}{rules_words(found.by)}"
        self._page.line(
            f"{user_words(user):<24}  {way_words(way, context):<36}  "
            f"{found.decision.reason.name:<22}  {why}"
        )
        self._page.document(
            "allowed",
            {
                "user_id": user.id,
                "name": user.name,
                **way_json(way),
                **context_json(context),
                "reason": found.decision.reason.name,
                "through": list[Json](found.through),
                "by": rules_json(found.by),
            },
        )

    def end(self, tally: Tally, malformed: int) -> ExitCode:
        """Says whether that was all; gives the exit code."""
        return self._page.finish(tally, malformed, is_nobody=not tally.found)


class Accesses:
    """What a user may do, context by context."""

    def __init__(self, screen: Screen, *, is_json: bool) -> None:
        self._page = _Page(screen, is_json)
        self._is_nobody = True
        self._number = 0
        self._context: TenantContext | Denied | None = None

    def show(self, found: User | Denied | Finding) -> None:
        """Prints one."""
        match found:
            case User():
                self._show_user(found)
            case Denied():
                self._page.line(_NOBODY, "red")
                self._page.document("denied", {"reason": found.reason.name})
            case Entered():
                self._show_context(found)
            case Reached() | Held() | Granted() | Listed():
                self._show_within(found)
            case _:
                assert_never(found)

    def end(self, tally: Tally, malformed: int) -> ExitCode:
        """Says whether that was all; gives the exit code."""
        return self._page.finish(tally, malformed, is_nobody=self._is_nobody)

    def _show_user(self, user: User) -> None:
        self._is_nobody = False
        flags = [
            name
            for name, holds in (
                ("platform admin", user.is_platform_admin),
                ("system user", user.is_system),
            )
            if holds
        ]
        words = ", ".join(flags) or "no special standing"
        self._page.line(
            f"{user_words(user)}, principal {user.principal_id}: {words}", "bold"
        )
        if user.is_system:
            self._page.line("  it may name any principal, and sees every row in each")
        self._page.document(
            "user",
            {
                "user_id": user.id,
                "name": user.name,
                "principal_id": user.principal_id,
                "is_platform_admin": user.is_platform_admin,
                "is_system": user.is_system,
            },
        )

    def _show_context(self, found: Entered) -> None:
        self._number += 1
        self._context = context = found.context
        content: Fields = {"number": self._number, **way_json(found.way)}
        if isinstance(context, Denied):
            words = f"{pin_words(found.way)}: {context.reason.text}"
            content["denied"] = context.reason.name
        else:
            name = f" ({found.name})" if found.name else ""
            words = way_words(found.way, context) + name
            content |= context_json(context)
        self._page.line(words, "bold")
        self._page.document("context", content)

    def _show_within(self, found: Reached | Held | Granted | Listed) -> None:
        context = self._context
        if not isinstance(context, TenantContext):
            raise TypeError("what is found stands in a context")
        match found:
            case Reached(cluster_id, through):
                words = f"cluster {cluster_id}  {through_words(through, context)}"
                content: Fields = {
                    "cluster_id": cluster_id,
                    "through": list[Json](through),
                }
                name = "cluster"
            case Held(instance_id, role):
                name, words = "role", role_words(role, instance_id)
                content = role_json(found)
            case Granted():
                name, words = "permission", permissions_words(found)
                content = permissions_json(found)
            case Listed(kind, count, ids):
                name = "rows"
                shown = f": {', '.join(ids)}" if ids else ""
                more = ", …" if len(ids) < count and ids else ""
                words = f"lists {count} of {kind}{shown}{more}"
                content = {"kind": kind, "count": count, "ids": list[Json](ids)}
            case _:
                assert_never(found)
        self._page.line(f"    {words}")
        self._page.document(name, {"context": self._number, **content})

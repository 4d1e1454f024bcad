"""The edge a second time: slow, obvious, and without a line of the sidecar's edge.

It reads the file of routes itself, splits paths by `plain_paths`, and decides by the
reference of the rules. Only good files of routes are understood.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import yaml

from tests.edge.plain_messages import Answer, Asked, admit, refuse, watch
from tests.edge.plain_paths import plain_split
from tests.edge.plain_requirements import UnusableError, requirement
from tests.edge.plain_routes import find_route, path_parameters
from tests.spec.checks import check_creatable
from tests.spec.permissions import NAME_ORDER, permissions
from tests.spec.reference import answer
from tests.spec.tenancy import Context, Denied, identify, resolve
from tests.spec.world import Row, World, part, parts

Identity = dict[str, str]

_BAD_CREDENTIAL = Denied("UNAUTHENTICATED", "INVALID_CREDENTIAL")
_ID_BYTES = 256
_CREDENTIAL_BYTES = 16 * 1024


@dataclass(frozen=True)
class Edge:
    """A world, the routes as text, and whom the tokens that are good name."""

    world: World
    routes: str
    tokens: Mapping[str, Row]
    today: dt.date

    @cached_property
    def file(self) -> Row:
        """The file of routes."""
        found: Row = yaml.safe_load(self.routes)
        return found

    def judge(self, asked: Asked) -> Answer:
        """The answer that the rules demand."""
        name = asked.extensions.get("rule_set", self.file.get("default"))
        rule_sets = part(self.file, "rule_sets")
        if name not in rule_sets:
            return refuse(asked, {}, Denied("FORBIDDEN", "UNKNOWN_RULE_SET"), {})
        rules = part(rule_sets, str(name))
        facts: Row = {"rule_set": name}
        found = self._judge(asked, rules, facts)
        if not isinstance(found, Denied):
            return admit(asked, rules, found, facts)
        until = part(rules, "shadow").get("until")
        if isinstance(until, dt.date) and self.today < until:
            return watch(asked, rules, found, facts)
        return refuse(asked, rules, found, facts)

    def _judge(self, asked: Asked, rules: Row, facts: Row) -> Identity | Denied:
        """The identity that is sent on, or a denial."""
        segments = plain_split(asked.target)
        if segments is None:
            return Denied("INVALID", "PATH_NOT_CANONICAL")
        for name in ("authorization", "x-api-key", "x-organization-id"):
            values = asked.all(name)
            if len(values) > 1 or any(b"," in value for value in values):
                return Denied("INVALID", "REPEATED_HEADER")
        if _is_preflight(asked, rules, segments):
            return {}
        route = find_route(rules, asked.method.decode("latin-1"), segments)
        if route is None:
            return Denied("FORBIDDEN", "NO_ROUTE")
        facts["route"] = route.get("name", route["path"])
        lifetimes = (each.get("stream_lifetime_seconds") for each in (route, rules))
        for lifetime in [each for each in lifetimes if each is not None][:1]:
            facts["lifetime_seconds"] = lifetime
        return self._enter(asked, route, segments, facts)

    def _enter(  # noqa: C901, PLR0911  the order of the page
        self, asked: Asked, route: Row, segments: tuple[str, ...], facts: Row
    ) -> Identity | Denied:
        """The same, for a route."""
        if route.get("public") is True:
            return {}
        caller = self._caller(asked)
        if caller is None and route.get("public") == "optional":
            return {}
        if caller is None:
            return Denied("UNAUTHENTICATED", "CREDENTIAL_MISSING")
        context = self._context(caller)
        if isinstance(context, Denied):
            return context
        path = path_parameters(str(route["path"]), segments)
        try:
            needed = [
                requirement(each, path, asked.extensions)
                for each in parts(route, "require")
            ]
        except UnusableError:
            return Denied("FORBIDDEN", "VALUE_NOT_USABLE")
        denied = self._first_denial(caller, context, needed)
        if denied is not None:
            return denied
        identity = _identity(context) | self._level(context, needed)
        if not all(map(_survives, identity.values())):
            return Denied("FORBIDDEN", "IDENTITY_NOT_SENDABLE")
        facts["user_id"] = context.caller.user_id
        if context.current is not None:
            facts["principal_id"] = context.current
        return identity

    def _caller(self, asked: Asked) -> Row | Denied | None:
        """The `Caller` message of a request; none for nobody."""
        organization = asked.first("x-organization-id") or b""
        caller: Row = {"organization_id": _as_id(organization)}
        authorization, key = asked.first("authorization"), asked.first("x-api-key")
        if authorization is not None and key is not None:
            return Denied("INVALID", "TWO_CREDENTIALS")
        if authorization is None and key is None:
            subject = asked.peer
        elif authorization is None:
            subject = _api_key(key or b"")
        else:
            subject = self._bearer(authorization)
        if subject is None:
            return None
        return _BAD_CREDENTIAL if isinstance(subject, str) else {**caller, **subject}

    def _bearer(self, authorization: bytes) -> Row | str:
        scheme, _, rest = authorization.partition(b" ")
        credential = rest.lstrip(b" ")
        if scheme.lower() != b"bearer" or b" " in credential:
            return "bad"
        if credential.count(b".") == 2:
            subject = self.tokens.get(credential.decode("latin-1"))
            return "bad" if subject is None else {"subject": subject}
        return _api_key(credential)

    def _context(self, caller: Row | Denied) -> Context | Denied:
        known = caller if isinstance(caller, Denied) else identify(self.world, caller)
        return known if isinstance(known, Denied) else resolve(self.world, known)

    def _first_denial(
        self, caller: Row | Denied, context: Context, needed: list[Row]
    ) -> Denied | None:
        """What fails, those of `visible` before all others."""
        visible_first = sorted(needed, key=lambda each: "visible" not in each)
        for each in visible_first:
            if "creatable" in each:
                kind = self.world.kinds[str(part(each, "creatable")["kind"])]
                owner: Row = {"owner_principal_id": _write_principal(context)}
                found = check_creatable(context, kind, owner)
            else:
                request: Row = {"caller": caller, "requirements": [each]}
                found = part(answer(self.world, "Authorize", request), "decision")
            if not found["allowed"]:
                return Denied(str(found["denial"]), str(found["reason"]))
        return None

    def _level(self, context: Context, needed: list[Row]) -> Identity:
        levels = []
        for each in needed:
            wanted = part(each, "permission")
            if wanted and wanted["operation"] != "VIEW":
                granted = permissions(self.world, context, part(wanted, "query"))
                levels.append(str(granted[str(wanted["operation"]).lower()]))
        if not levels:
            return {}
        return {"x-authz-access-level": min(levels, key=NAME_ORDER.index).lower()}


def _api_key(credential: bytes) -> Row | str:
    is_printable = all(0x21 <= byte <= 0x7E for byte in credential)
    if not is_printable or len(credential) > _CREDENTIAL_BYTES:
        return "bad"
    pieces = credential.split(b"_", 2)
    if len(pieces) != 3 or b"" in pieces:
        return "bad"
    return {"api_key": credential.decode("ascii")}


def _is_preflight(asked: Asked, rules: Row, segments: tuple[str, ...]) -> bool:
    wanted = asked.first("access-control-request-method")
    if asked.method != b"OPTIONS" or asked.first("origin") is None or wanted is None:
        return False
    if not part(rules, "cors").get("preflights"):
        return False
    return find_route(rules, wanted.decode("latin-1"), segments) is not None


def _identity(context: Context) -> Identity:
    identity = {
        "x-authz-user-id": context.caller.user_id,
        "x-authz-write-principal-id": _write_principal(context),
    }
    if context.current is not None:
        identity["x-authz-principal-id"] = context.current
    if context.org_role is not None:
        identity["x-authz-org-role"] = context.org_role
    return identity


def _write_principal(context: Context) -> str:
    return context.current or context.caller.own_principal_id


def _survives(value: str) -> bool:
    """Whether a value arrives in a header as it was sent."""
    controls = [letter for letter in value if ord(letter) < 0x20 or letter == "\x7f"]
    is_whole = value not in {"", " "} and value == value.strip(" ")
    return is_whole and not controls and len(value.encode()) <= 16 * 1024


def _as_id(value: bytes) -> str:
    """The text of a wished organization; what cannot be one is a text that is none."""
    try:
        return value.decode() if len(value) <= _ID_BYTES else "\0"
    except UnicodeDecodeError:
        return "\0"

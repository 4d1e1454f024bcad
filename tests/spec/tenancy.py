"""Who asks and as which tenant: semantics §1 and §2, in the order of the page."""

import datetime as dt
import hashlib
import re
import uuid
from dataclasses import dataclass

from tests.spec.world import Row, World, only_row, part, rows, text


@dataclass(frozen=True)
class Denied:
    """A denial: INVALID, UNAUTHENTICATED, FORBIDDEN or NOT_FOUND, and its reason."""

    denial: str
    reason: str


@dataclass(frozen=True)
class Caller:
    """A user who is somebody, the pin, and the organization as requested."""

    user_id: str
    own_principal_id: str
    is_platform_admin: bool
    is_system: bool
    pinned_principal_id: str | None
    organization_id: str


@dataclass(frozen=True)
class Context:
    """A tenant context."""

    caller: Caller
    current: str | None
    org_role: str | None = None  # admin or user
    clusters: frozenset[str] = frozenset()
    personal: bool = False

    @property
    def bypass(self) -> bool:
        """Whether every existing resource is visible and writable."""
        admin = self.caller.is_platform_admin and self.current is None
        return self.caller.is_system or admin


BAD_CREDENTIAL = Denied("UNAUTHENTICATED", "INVALID_CREDENTIAL")
BAD_ORGANIZATION_ID = Denied("INVALID", "INVALID_ORGANIZATION_ID")
NOT_A_MEMBER = Denied("FORBIDDEN", "NOT_A_MEMBER")
NO_ORGANIZATION = Denied("NOT_FOUND", "ORGANIZATION_NOT_FOUND")


def identify(world: World, request: Row) -> Caller | Denied:
    """The user whom a `Caller` message means, if that user is valid (§1)."""
    named = _name_user(world, request)
    if named is None:
        return BAD_CREDENTIAL
    user_id, pinned = named
    user = only_row(world, "users", id=user_id)
    if user is None or not user.get("is_active", True):
        return BAD_CREDENTIAL
    own_principal_id = text(user, "principal_id")
    if own_principal_id is None or not _is_live(world, own_principal_id, "user"):
        return BAD_CREDENTIAL
    return Caller(
        user_id=user_id,
        own_principal_id=own_principal_id,
        is_platform_admin=bool(user.get("is_admin", False)),
        is_system=bool(user.get("is_system", False)),
        pinned_principal_id=pinned,
        organization_id=text(request, "organization_id") or "",
    )


def resolve(world: World, caller: Caller) -> Context | Denied:
    """The tenant context of a caller (§2)."""
    current = _choose_principal(world, caller)
    if isinstance(current, Denied):
        return current
    if current is None or caller.is_system:
        return Context(caller, current)
    own = caller.own_principal_id
    if current == own:
        return Context(caller, current, clusters=_grants(world, own), personal=True)
    return _enter(world, caller, current)


def list_contexts(world: World, caller: Caller) -> list[Row] | Denied:
    """The contexts of a caller, as `AvailableContext` messages (§2, at its end)."""
    if caller.pinned_principal_id is not None:
        return _list_pinned(world, caller, caller.pinned_principal_id)
    own = caller.own_principal_id
    organizations = [
        organization
        for row in rows(world, "principals", kind="org")
        if (organization := text(row, "id")) is not None
        and is_live_organization(world, organization)
        and find_membership(world, own, organization) is not None
    ]
    organizations.sort(key=lambda found: _id_order(world, found))
    contexts = [_available("PERSONAL", own, None, _name(world, own))]
    for organization in organizations:
        membership = find_membership(world, own, organization) or {}
        role = text(membership, "role")
        name = _name(world, organization)
        contexts.append(_available("ORGANIZATION", organization, role, name))
    if caller.is_platform_admin:
        contexts.append(_available("ALL", None, None, ""))
    return contexts


def find_membership(world: World, member: str, parent: str) -> Row | None:
    """The active membership of one principal in another; two count as none."""
    active = [
        row
        for row in rows(
            world,
            "principal_memberships",
            member_principal_id=member,
            parent_principal_id=parent,
        )
        if row.get("enabled", True) and row.get("deleted_at") is None
    ]
    if len(active) != 1 or active[0].get("role") not in ("admin", "user", None):
        return None
    return active[0]


def is_live_organization(world: World, principal_id: str) -> bool:
    """Whether there is such an organization, not deleted."""
    return _is_live(world, principal_id, "org")


def _is_live(world: World, principal_id: str, kind: str) -> bool:
    principal = only_row(world, "principals", id=principal_id)
    return (
        principal is not None
        and principal.get("kind") == kind
        and principal.get("deleted_at") is None
    )


def _name_user(world: World, request: Row) -> tuple[str, str | None] | None:
    """The id of the user that a credential or a name means, and the pin."""
    pinned = text(request, "pinned_principal_id")
    if "api_key" in request:
        return _check_api_key(world, text(request, "api_key") or "")
    if "subject" in request:
        subject = part(request, "subject")
        identity = only_row(
            world,
            "user_identities",
            issuer=subject.get("issuer"),
            subject=subject.get("subject"),
        )
        user_id = None if identity is None else text(identity, "user_id")
    else:
        user_id = text(request, "user_id")
    return None if user_id is None else (user_id, pinned)


def _check_api_key(world: World, credential: str) -> tuple[str, str | None] | None:
    """The user and the pin of an API key `<prefix>_<lookup id>_<secret>`."""
    _, _, rest = credential.partition("_")
    lookup_id, _, secret = rest.partition("_")
    key = only_row(world, "api_keys", lookup_id=lookup_id)
    if key is None or not secret:
        return None
    digest = hashlib.sha256(secret.encode()).hexdigest()
    if key.get("secret_hash") != f"sha256:{digest}":
        return None
    if key.get("revoked_at") is not None or _has_expired(world, key):
        return None
    user_id = text(key, "user_id")
    return None if user_id is None else (user_id, text(key, "owner_principal_id"))


def _has_expired(world: World, key: Row) -> bool:
    expires_at = key.get("expires_at")
    if expires_at is None:
        return False
    return _parse_time(expires_at) <= _parse_time(world.now)


def _parse_time(value: object) -> dt.datetime:
    time = (
        value
        if isinstance(value, dt.datetime)
        else dt.datetime.fromisoformat(str(value))
    )
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _choose_principal(world: World, caller: Caller) -> str | Denied | None:
    """The current principal, or none for All mode (§2 step 1)."""
    if caller.pinned_principal_id is not None:
        return caller.pinned_principal_id
    if caller.organization_id:
        if _is_well_formed(world, caller.organization_id):
            return caller.organization_id
        return BAD_ORGANIZATION_ID
    if caller.is_platform_admin:
        return None
    return caller.own_principal_id


def _is_well_formed(world: World, raw: str) -> bool:
    """Whether raw text is a principal id in the canonical form of its column."""
    if world.organization_id_type in ("bigint", "integer"):
        digits = re.fullmatch(r"0|[1-9][0-9]{0,18}", raw)
        return digits is not None and int(raw) < 2**63
    if world.organization_id_type == "uuid":
        hexadecimal = re.fullmatch(r"[0-9a-f-]{36}", raw)
        return hexadecimal is not None and _is_canonical_uuid(raw)
    return "\0" not in raw


def _is_canonical_uuid(raw: str) -> bool:
    try:
        return str(uuid.UUID(raw)) == raw
    except ValueError:
        return False


def _enter(world: World, caller: Caller, current: str) -> Context | Denied:
    """The context in a principal that is not the caller's own (§2 step 4)."""
    own = caller.own_principal_id
    membership = find_membership(world, own, current)
    if membership is None and not caller.is_platform_admin:
        return NOT_A_MEMBER
    clusters = _grants(world, own) | _grants(world, current)
    for group in _groups(world, own, current):
        clusters |= _grants(world, group)
    if not is_live_organization(world, current):
        return NO_ORGANIZATION
    role = None if membership is None else text(membership, "role")
    return Context(caller, current, role, clusters)


def _groups(world: World, member: str, organization: str) -> list[str]:
    return [
        group
        for row in rows(
            world, "principals", kind="group", parent_principal_id=organization
        )
        if (group := text(row, "id")) is not None
        and _is_live(world, group, "group")
        and find_membership(world, member, group) is not None
    ]


def _grants(world: World, principal_id: str) -> frozenset[str]:
    granted = rows(world, "cluster_access", principal_id=principal_id)
    return frozenset(str(row["cluster_id"]) for row in granted)


def _list_pinned(world: World, caller: Caller, pinned: str) -> list[Row] | Denied:
    context = resolve(world, caller)
    if isinstance(context, Denied):
        return context
    if pinned == caller.own_principal_id:
        kind = "PERSONAL"
    elif is_live_organization(world, pinned):
        kind = "ORGANIZATION"
    else:
        return [_available("PINNED", pinned, None, "")]
    return [_available(kind, pinned, context.org_role, _name(world, pinned))]


def _available(kind: str, principal: str | None, role: str | None, name: str) -> Row:
    context: Row = {"kind": kind}
    if principal is not None:
        context["principal_id"] = principal
    if role is not None:
        context["org_role"] = role.upper()
    context["name"] = name
    return context


def _name(world: World, principal_id: str) -> str:
    principal = only_row(world, "principals", id=principal_id)
    return "" if principal is None else text(principal, "name") or ""


def _id_order(world: World, principal_id: str) -> tuple[int, str]:
    numeric = world.organization_id_type in ("bigint", "integer")
    return (int(principal_id) if numeric else 0, principal_id)

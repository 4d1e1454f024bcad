"""What a caller's roles allow: semantics §4, and its malformed rules of §5."""

from tests.spec.checks import equals
from tests.spec.tenancy import Context, find_membership, is_live_organization
from tests.spec.world import Row, World, only_row, parts, rows, text

LEVELS = ["n", "m", "g", "a"]  # rising
LEVEL_NAMES = {"n": "NONE", "m": "MY", "g": "GROUP", "a": "ALL"}
NAME_ORDER = ["NONE", "MY", "GROUP", "ALL"]
RULE_CONTEXTS = ["DATA", "UI", "RESOURCE"]
OPERATIONS = ["read", "create", "update", "delete"]
SCOPES = ["global", "organization", "instance"]  # rising


def permissions(world: World, context: Context, query: Row) -> Row:
    """The `Permissions` message for a `PermissionQuery` in a resolved context."""
    if context.current is None:
        level = "a" if context.caller.is_platform_admin else "n"
        return _message(dict.fromkeys(OPERATIONS, level), view=level == "a")
    winners = _drop_lower_scopes(world, _winning_rules(world, context, query))
    view = any(rule.get("view", False) for _, rule in winners)
    highest = dict.fromkeys(OPERATIONS, "n")
    if query["context"] == "DATA":
        for _, rule in winners:
            for operation in OPERATIONS:
                level = text(rule, operation) or "n"
                if LEVELS.index(level) > LEVELS.index(highest[operation]):
                    highest[operation] = level
    return _message(highest, view=view)


def no_permissions() -> Row:
    """The `Permissions` message that allows nothing."""
    return _message(dict.fromkeys(OPERATIONS, "n"), view=False)


def level_filter(context: Context, read: object) -> Row:
    """The `ListFilter` for the rows of a read level."""
    if read == "MY":
        return {"condition": equals("CREATED_BY", context.caller.user_id)}
    if read == "GROUP":
        return {"condition": equals("ORGANIZATION_ID", context.current)}
    if read == "ALL":
        return {"everything": True}
    return {"nothing": True}


def reaches(granted: Row, operation: str, least_level: object) -> bool:
    """Whether a `Permissions` message reaches the least level of an operation."""
    if operation == "VIEW":
        return bool(granted["view"])
    level = str(granted[operation.lower()])
    return NAME_ORDER.index(level) >= NAME_ORDER.index(str(least_level))


def validate_rules(request: Row) -> list[Row]:
    """The problems of `AccessRule` messages, each judged as it would be stored."""
    problems: list[Row] = []
    seen: list[tuple[object, object, object]] = []
    for index, rule in enumerate(parts(request, "rules")):
        identity = (rule.get("role_id"), rule.get("context"), rule.get("item"))
        found = _find_faults(rule)
        if identity in seen:
            found.append(("item", "DUPLICATE"))
        seen.append(identity)
        problems += [
            {"rule_index": index, "field": field, "reason": reason}
            for field, reason in found
        ]
    return problems


def _find_faults(rule: Row) -> list[tuple[str, str]]:
    faults = [] if _is_item(rule.get("item")) else [("item", "MALFORMED_ITEM")]
    if rule["context"] != "DATA":
        return faults
    if "read" not in rule:
        return [*faults, ("read", "READ_MISSING")]
    read = NAME_ORDER.index(str(rule["read"]))
    return faults + [
        (operation, "EXCEEDS_READ")
        for operation in ("create", "update", "delete")
        if NAME_ORDER.index(str(rule.get(operation, "NONE"))) > read
    ]


def _message(levels: dict[str, str], *, view: bool) -> Row:
    named = {operation: LEVEL_NAMES[level] for operation, level in levels.items()}
    return {"view": view, **named}


def _winning_rules(world: World, context: Context, query: Row) -> list[tuple[str, Row]]:
    """The scope and the most specific rule of each role that has one."""
    winners = []
    for role in _roles_that_fit(world, context, query):
        rule = _most_specific_rule(world, role, query)
        if rule is not None:
            winners.append((_scope(role), rule))
    return winners


def _roles_that_fit(world: World, context: Context, query: Row) -> list[Row]:
    organization = context.current
    if organization is None or not is_live_organization(world, organization):
        return []
    own = context.caller.own_principal_id
    membership = find_membership(world, own, organization)
    if membership is None:
        return []
    assigned = rows(world, "membership_roles", membership_id=membership["id"])
    instance = _usable_instance(world, organization, text(query, "feature_instance_id"))
    if instance is not None:
        assigned = assigned + _roles_of_access(world, context.caller.user_id, instance)
    role_ids = {text(assignment, "role_id") for assignment in assigned}
    held = [only_row(world, "roles", id=role_id) for role_id in role_ids]
    return [
        role
        for role in held
        if role is not None and _fits(role, organization, instance)
    ]


def _usable_instance(
    world: World, organization: str, instance_id: str | None
) -> str | None:
    """The named instance, if it is enabled and belongs to the organization."""
    if instance_id is None:
        return None
    instance = only_row(world, "feature_instances", id=instance_id)
    if instance is None or not instance.get("enabled", True):
        return None
    return instance_id if instance.get("organization_id") == organization else None


def _roles_of_access(world: World, user_id: str, instance_id: str) -> list[Row]:
    access = only_row(
        world, "feature_access", user_id=user_id, feature_instance_id=instance_id
    )
    if access is None or not access.get("enabled", True):
        return []
    return rows(world, "feature_access_roles", feature_access_id=access["id"])


def _scope(role: Row) -> str:
    if role.get("feature_instance_id") is not None:
        return "instance"
    if role.get("organization_id") is not None:
        return "organization"
    return "global"


def _fits(role: Row, organization: str, instance: str | None) -> bool:
    if _scope(role) == "instance":
        return role.get("feature_instance_id") == instance
    if _scope(role) == "organization":
        return role.get("organization_id") == organization
    return True


def _most_specific_rule(world: World, role: Row, query: Row) -> Row | None:
    everything = rows(world, "access_rules", role_id=role["id"])
    if any(rule.get("context") not in RULE_CONTEXTS for rule in everything):
        return None
    here = [rule for rule in everything if rule["context"] == query["context"]]
    items = [rule.get("item") for rule in here]
    repeated = any(items.count(item) > 1 for item in items)
    if repeated or not all(_is_well_formed_rule(rule) for rule in here):
        return None
    asked = _segments(text(query, "item"))
    matching = [rule for rule in here if _matches(_segments(text(rule, "item")), asked)]
    return max(
        matching, key=lambda rule: len(_segments(text(rule, "item"))), default=None
    )


def _is_well_formed_rule(rule: Row) -> bool:
    levels = [rule.get(operation) for operation in OPERATIONS]
    known = all(level is None or level in LEVELS for level in levels)
    if not known or rule.get("view", False) is None or not _is_item(rule.get("item")):
        return False
    if rule["context"] != "DATA":
        return True
    reach = [LEVELS.index(str(level or "n")) for level in levels]
    return levels[0] is not None and max(reach) == reach[0]


def _is_item(item: object) -> bool:
    if item is None:
        return True
    segments = str(item).split(".")
    blank = any(character.isspace() for character in str(item))
    return all(segments) and not blank


def _segments(item: str | None) -> list[str]:
    return [] if item is None else item.split(".")


def _matches(rule: list[str], asked: list[str]) -> bool:
    """Whether a rule's item is the asked one, a prefix of it, or generic."""
    return asked[: len(rule)] == rule


def _drop_lower_scopes(
    world: World, winners: list[tuple[str, Row]]
) -> list[tuple[str, Row]]:
    if world.role_precedence == "union" or not winners:
        return winners
    top = max(SCOPES.index(scope) for scope, _ in winners)
    return [(scope, rule) for scope, rule in winners if SCOPES.index(scope) == top]

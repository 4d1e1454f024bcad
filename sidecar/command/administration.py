"""The commands that administer the reference schema, in groups by what they change."""

import typer

from sidecar.command import api_keys, clusters, members, roles, rules


def add_administration(program: typer.Typer) -> None:
    """Adds the groups of commands to a program."""
    program.add_typer(_api_keys(), name="api-key")
    program.add_typer(_members(), name="member")
    program.add_typer(_roles(), name="role")
    program.add_typer(_clusters(), name="cluster")
    program.add_typer(_rules(), name="rule")


def _api_keys() -> typer.Typer:
    group = _group("Makes, replaces and revokes API keys.")
    create = "api-key create --user 7 --pin 1 --expires 90d > key.txt"
    group.command("create", epilog=_example(create))(api_keys.CreateApiKey)
    group.command("list", epilog=_example("api-key list --user ann"))(
        api_keys.ListApiKeys
    )
    rotate = "api-key rotate 5f3a9c2e71d04b88 --keep-for 1h > key.txt"
    group.command("rotate", epilog=_example(rotate))(api_keys.RotateApiKey)
    group.command("revoke", epilog=_example("api-key revoke 5f3a9c2e71d04b88"))(
        api_keys.RevokeApiKey
    )
    return group


def _members() -> typer.Typer:
    group = _group("Says who belongs to an organization or a group.")
    add = "member add --org 1 --user 7 --role admin"
    group.command("add", epilog=_example(add))(members.AddMember)
    group.command("remove", epilog=_example("member remove --group 11 --user ann"))(
        members.RemoveMember
    )
    group.command("disable", epilog=_example("member disable --org 1 --user 7"))(
        members.DisableMember
    )
    group.command("enable", epilog=_example("member enable --org 1 --user 7"))(
        members.EnableMember
    )
    group.command("list", epilog=_example("member list --org 1 --removed"))(
        members.ListMembers
    )
    return group


def _roles() -> typer.Typer:
    group = _group("Gives roles to members, and to holders of a feature access.")
    assign = "role assign --role editor --org 1 --user 7"
    group.command("assign", epilog=_example(assign))(roles.AssignRole)
    unassign = "role unassign --role editor --instance finetune --user 7"
    group.command("unassign", epilog=_example(unassign))(roles.UnassignRole)
    group.command("list", epilog=_example("role list --user 7"))(roles.ListRoles)
    return group


def _clusters() -> typer.Typer:
    group = _group("Says which principal may use which cluster.")
    group.command("grant", epilog=_example("cluster grant --cluster 5 --to 11"))(
        clusters.GrantCluster
    )
    group.command("revoke", epilog=_example("cluster revoke --cluster 5 --to 11"))(
        clusters.RevokeCluster
    )
    group.command("list", epilog=_example("cluster list --cluster 5"))(
        clusters.ListGrants
    )
    return group


def _rules() -> typer.Typer:
    group = _group("Says what a role allows.")
    wanted = "--view --read group --create my"
    set_one = f"rule set --role editor --context DATA --item data.contract {wanted}"
    group.command("set", epilog=_example(set_one))(rules.SetRule)
    unset = "rule unset --role editor --context DATA --item data.contract"
    group.command("unset", epilog=_example(unset))(rules.UnsetRule)
    group.command("list", epilog=_example("rule list --role editor"))(rules.ListRules)
    return group


def _group(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True)


def _example(line: str) -> str:
    return f"Example: authz-sidecar {line}"

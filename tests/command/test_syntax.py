from collections.abc import Callable

import pytest

from sidecar.command.bare_json import Json
from sidecar.command.syntax import (
    OptionSyntaxError,
    read_column,
    read_consistency,
    read_gate,
    read_new_resource,
    read_query,
    read_requirement,
    read_resource,
    read_rule,
    read_subject,
)

Read = Callable[[str], dict[str, Json]]

_GOOD: list[tuple[Read, str, dict[str, Json]]] = [
    (read_resource, "cluster/7", {"kind": "cluster", "id": "7"}),
    (
        read_resource,
        "worker/7,owner=5,cluster=9",
        {
            "kind": "worker",
            "id": "7",
            "attributes": {"owner_principal_id": "5", "cluster_id": "9"},
        },
    ),
    (
        read_resource,
        "model/7,global",
        {"kind": "model", "id": "7", "attributes": {"global": True}},
    ),
    (read_resource, "file/a/b", {"kind": "file", "id": "a/b"}),
    (read_resource, r"file/a\,b\\", {"kind": "file", "id": "a,b\\"}),
    (
        read_resource,
        r"file/a\\,owner=x\=y",
        {"kind": "file", "id": "a\\", "attributes": {"owner_principal_id": "x=y"}},
    ),
    (read_new_resource, "template", {"kind": "template"}),
    (read_new_resource, "model,owner=5", {"kind": "model", "owner_principal_id": "5"}),
    (read_new_resource, "model,global", {"kind": "model", "global": True}),
    (read_query, "data", {"context": "DATA"}),
    (read_query, "UI:a.b", {"context": "UI", "item": "a.b"}),
    (
        read_query,
        "DATA:data.contract@instance-1",
        {
            "context": "DATA",
            "item": "data.contract",
            "feature_instance_id": "instance-1",
        },
    ),
    (read_query, "DATA@i:1", {"context": "DATA", "feature_instance_id": "i:1"}),
    (read_query, r"DATA:a\@b", {"context": "DATA", "item": "a@b"}),
    (read_gate, "platform_admin", {"platform_admin": True}),
    (read_gate, "Platform-Admin", {"platform_admin": True}),
    (read_gate, "admin|user", {"any_of_org_roles": {"roles": ["ADMIN", "USER"]}}),
    (
        read_requirement,
        "visible:cluster/7",
        {"visible": {"kind": "cluster", "id": "7"}},
    ),
    (
        read_requirement,
        "writable:cluster/7,skip-visible",
        {
            "writable": {
                "resource": {"kind": "cluster", "id": "7"},
                "skip_visible": True,
            }
        },
    ),
    (
        read_requirement,
        "creatable:model,owner=5",
        {"creatable": {"kind": "model", "owner_principal_id": "5"}},
    ),
    (read_requirement, "role:platform_admin", {"role": {"platform_admin": True}}),
    (
        read_requirement,
        "permission:DATA:trustee.contract:update>=group",
        {
            "permission": {
                "query": {"context": "DATA", "item": "trustee.contract"},
                "operation": "UPDATE",
                "least_level": "GROUP",
            }
        },
    ),
    (
        read_requirement,
        "permission:UI:page@i-1:view",
        {
            "permission": {
                "query": {
                    "context": "UI",
                    "item": "page",
                    "feature_instance_id": "i-1",
                },
                "operation": "VIEW",
            }
        },
    ),
    (
        read_requirement,
        "permission:DATA:read>=m",
        {
            "permission": {
                "query": {"context": "DATA"},
                "operation": "READ",
                "least_level": "MY",
            }
        },
    ),
    (
        read_rule,
        "r-1/DATA:data.x,view,read=g,create=my,update=n,delete=a",
        {
            "role_id": "r-1",
            "context": "DATA",
            "item": "data.x",
            "view": True,
            "read": "GROUP",
            "create": "MY",
            "update": "NONE",
            "delete": "ALL",
        },
    ),
    (read_rule, "r/UI", {"role_id": "r", "context": "UI"}),
    (read_rule, "r/UI:", {"role_id": "r", "context": "UI", "item": ""}),
    (
        read_subject,
        "https://login.example/#realm#ann",
        {"issuer": "https://login.example/#realm", "subject": "ann"},
    ),
    (read_consistency, "minimize-latency", {"minimize_latency": True}),
    (read_consistency, "fully_consistent", {"fully_consistent": True}),
    (read_consistency, "at-least:1:2", {"at_least_as_fresh": "1:2"}),
    (
        read_column,
        "owner_principal_id=m.owner",
        {"field": "OWNER_PRINCIPAL_ID", "column": "m.owner"},
    ),
]


@pytest.mark.parametrize(
    ("read", "text", "expected"), _GOOD, ids=[good[1] for good in _GOOD]
)
def test_reads_what_is_written(
    read: Read, text: str, expected: dict[str, Json]
) -> None:
    """Each form is read to the bare JSON of its message."""
    assert expected == read(text)


_BAD: list[tuple[Read, str, str]] = [
    (read_resource, "cluster", "`cluster` is not a resource"),
    (read_resource, "cluster/", "`cluster/` is not a resource"),
    (read_resource, "/7", "`/7` is not a resource"),
    (read_resource, "a/7,owner=", "`owner=` is not a part of `a/7,owner=`"),
    (read_resource, "a/7,owner", "`owner` is not a part of `a/7,owner`"),
    (read_resource, "a/7,global=1", "`global=1` is not a part of `a/7,global=1`"),
    (read_resource, "a/7,", "`` is not a part of `a/7,`"),
    (
        read_resource,
        "a/7,owner=1,owner=2",
        "`owner=2` is not a part of `a/7,owner=1,owner=2`",
    ),
    (read_new_resource, "", "`` is not a new resource"),
    (read_new_resource, "a,cluster=1", "`a,cluster=1` is not a new resource"),
    (read_query, "", "`` is not a query"),
    (read_query, "DATA:", "`DATA:` is not a query"),
    (read_query, "DATA:a@", "`DATA:a@` is not a query"),
    (read_gate, "", "`` is not a role gate"),
    (read_gate, "admin|", "`admin|` is not a role gate"),
    (read_requirement, "cluster/7", "`cluster/7` is not a requirement"),
    (read_requirement, "sees:cluster/7", "`sees:cluster/7` is not a requirement"),
    (read_requirement, "visible:cluster", "`cluster` is not a resource"),
    (read_requirement, "permission:DATA", "`DATA` is not a permission"),
    (read_rule, "DATA:x", "`DATA:x` is not a rule"),
    (read_rule, "r/DATA,write=g", "`write=g` is not a part of `r/DATA,write=g`"),
    (read_subject, "ann", "`ann` is not a subject"),
    (read_consistency, "soon", "`soon` is not a consistency"),
    (read_consistency, "at-least:", "`at-least:` is not a consistency"),
    (read_consistency, "fully-consistent:1", "`fully-consistent:1` is not"),
    (read_column, "owner", "`owner` is not a column"),
]


@pytest.mark.parametrize(
    ("read", "text", "problem"), _BAD, ids=[bad[1] or "empty" for bad in _BAD]
)
def test_refuses_what_it_cannot_read(read: Read, text: str, problem: str) -> None:
    """Anything else is refused in one line that shows the right form."""
    with pytest.raises(OptionSyntaxError) as raised:
        read(text)

    message = str(raised.value)
    assert message.startswith(problem)
    assert ", write `" in message
    assert "\n" not in message

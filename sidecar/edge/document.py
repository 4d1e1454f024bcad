"""The file of routes, as it is written: its shape, and the JSON Schema of it."""

from datetime import date
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    StringConstraints,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Method = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{1,32}$"),
    Field(json_schema_extra={"not": {"const": "HEAD"}}),
]
Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


PartT = TypeVar("PartT", bound=_Part)


def _only_one(part: PartT) -> PartT:
    if len([each for _, each in part if each is not None]) != 1:
        names = ", ".join(type(part).model_fields)
        raise ValueError(f"must be exactly one of {names}")
    return part


class RowPart(_Part):
    """A row of a declared kind."""

    kind: Text = Field(description="The kind, as the settings declare it.")
    id: Text = Field(description="The row's id: a text, `{path.name}` or `{ext.name}`.")


class CreationPart(_Part):
    """A row that is to be created."""

    kind: Text = Field(description="The kind, as the settings declare it.")


class RolePart(_Part):
    """A role of the caller: exactly one of these."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    platform_admin: Literal[True] | None = Field(
        default=None, description="The caller is a platform admin."
    )
    any_of: frozenset[Literal["admin", "user"]] | None = Field(
        default=None,
        min_length=1,
        description="The caller has one of these roles within the organization.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        return _only_one(self)


class PermissionPart(_Part):
    """What the caller's roles must allow."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"operation": {"const": "view"}}},
            "then": {"properties": {"at_least": {"type": "null"}}},
            "else": {
                "properties": {"context": {"const": "DATA"}},
                "required": ["at_least"],
            },
        }
    )

    context: Literal["DATA", "UI", "RESOURCE"] = Field(
        description="The context of the rules."
    )
    item: Text | None = Field(
        default=None,
        description="The dotted item; a segment may be `{path.name}` or `{ext.name}`. "
        "Without it, only rules without an item count.",
    )
    operation: Literal["view", "read", "create", "update", "delete"] = Field(
        default="view", description="What is to be done; other than view, only in DATA."
    )
    at_least: Literal["my", "group", "all"] | None = Field(
        default=None,
        description="How far it must reach; needed for every operation but view.",
    )
    feature_instance: Text | None = Field(
        default=None,
        description="The feature instance: a text, `{path.name}` or `{ext.name}`.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.operation == "view":
            if self.at_least is not None:
                raise ValueError("`at_least` says nothing of the operation `view`")
            return self
        if self.context != "DATA":
            raise ValueError(f"context `{self.context}` only knows `view`")
        if self.at_least is None:
            raise ValueError(f"the operation `{self.operation}` needs `at_least`")
        return self


class RequirementPart(_Part):
    """One requirement: exactly one of these."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    visible: RowPart | None = Field(default=None, description="The row is visible.")
    writable: RowPart | None = Field(
        default=None, description="The row is visible and writable."
    )
    creatable: CreationPart | None = Field(
        default=None,
        description="A row may be created for the tenant that the caller writes to.",
    )
    role: RolePart | None = Field(default=None, description="The caller has this role.")
    permission: PermissionPart | None = Field(
        default=None, description="The caller's roles allow this."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        return _only_one(self)


class RoutePart(_Part):
    """One path with its methods, and what it demands."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["public"]}, {"required": ["require"]}]
        }
    )

    name: Name | None = Field(
        default=None, description="For logs and metadata; the path unless given."
    )
    path: Text = Field(
        description="Plain segments and `{parameters}`; `{rest...}` as the last takes "
        "all that follows."
    )
    methods: frozenset[Method] = Field(
        min_length=1, description="In capitals. HEAD counts as GET."
    )
    public: Literal[True, "optional"] | None = Field(
        default=None,
        description="True: anybody, and nobody is asked who they are. `optional`: "
        "anybody, and a credential is judged when there is one.",
    )
    require: tuple[RequirementPart, ...] | None = Field(
        default=None,
        max_length=32,
        description="All must hold. An empty list demands a good credential and no "
        "more. Every route has this or `public`.",
    )
    values: dict[str, Annotated[frozenset[Text], Field(min_length=1)]] = Field(
        default={}, description="The only values that a parameter may have."
    )
    stream_lifetime_seconds: PositiveFloat | None = Field(
        default=None, description="In place of the rule set's."
    )

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if (self.public is None) == (self.require is None):
            raise ValueError("must have exactly one of `public` and `require`")
        if "HEAD" in self.methods:
            raise ValueError("`HEAD` counts as `GET` and cannot be listed")
        return self


class CorsPart(_Part):
    """What browsers of other origins are told."""

    preflights: bool = Field(
        default=False,
        description="Whether preflights to a known route pass to the application.",
    )
    origins: frozenset[Origin] = Field(
        default=frozenset(),
        description="The origins whose pages may read denials.",
    )
    credentials: bool = Field(
        default=False, description="Whether they may with credentials."
    )


class ShadowPart(_Part):
    """Judge, count and tell, and let everything pass."""

    until: date = Field(description="The day from which it ends, in UTC.")


class RuleSetPart(_Part):
    """Routes, and how they are applied."""

    routes: tuple[RoutePart, ...] = Field(min_length=1, description="In any order.")
    cors: CorsPart = CorsPart()
    shadow: ShadowPart | None = Field(
        default=None, description="Unset: denials are denials."
    )
    strip_credentials: bool = Field(
        default=False,
        description="Whether `authorization` and `x-api-key` are taken off requests "
        "that pass.",
    )
    stream_lifetime_seconds: PositiveFloat | None = Field(
        default=None,
        description="How long a stream may live on one check; told to Envoy, unset: "
        "nothing is told.",
    )


class RoutesFile(_Part):
    """The routes at the edge."""

    default: Name | None = Field(
        default=None,
        description="The rule set where Envoy's configuration names none. Unset: "
        "such requests are denied.",
    )
    rule_sets: dict[Name, RuleSetPart] = Field(
        min_length=1,
        description="By the name that Envoy's configuration says.",
        json_schema_extra={"additionalProperties": False},
    )

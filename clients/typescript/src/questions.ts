/** What a question is about: plain values, and the messages that they become. */

import type { MessageInitShape } from "@bufbuild/protobuf";

import { OrgRole as OrgRoleNumber } from "./gen/authz/v1/caller_pb.js";
import {
  FilterField,
  PlaceholderStyle,
  type SqlOptionsSchema,
} from "./gen/authz/v1/filter_pb.js";
import {
  AccessLevel as LevelNumber,
  type AccessRuleSchema,
  Operation as OperationNumber,
  type PermissionQuerySchema,
  RuleContext as RuleContextNumber,
} from "./gen/authz/v1/permission_pb.js";
import type {
  NewResourceSchema,
  RequirementSchema,
  ResourceSchema,
  RoleGateSchema,
} from "./gen/authz/v1/resource_pb.js";
import { InvalidRequestError } from "./errors.js";
import type { AccessLevel, Operation, OrgRole, RuleContext } from "./levels.js";
import { chosen, optional, text, word } from "./sending.js";

/** Who owns a row: a principal by id, or nobody. */
export type Owner = { readonly ownedBy: string } | { readonly unowned: true };

/** An existing row as you read it. `owner` is null only for kinds without one. */
export interface Attributes {
  readonly owner: Owner | null;
  readonly cluster?: string | undefined;
}

/** A row; without attributes the sidecar looks it up. */
export interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly attributes?: Attributes | undefined;
}

/** A row that is to be created. `owner` is null only for kinds without one. */
export interface NewResource {
  readonly kind: string;
  readonly owner: Owner | null;
}

/** A gate on the caller alone: for platform admins, or for some roles in the organization. */
export type RoleGate =
  | { readonly platformAdmin: true }
  | { readonly anyOfOrgRoles: readonly OrgRole[] };

/** What the caller's roles allow on an item; without one only generic rules match. */
export interface PermissionQuery {
  readonly context: RuleContext;
  readonly item?: string | undefined;
  readonly featureInstanceId?: string | undefined;
}

/** One condition of `authorize`. VIEW takes no `least`, every other operation one. */
export type Requirement =
  | { readonly visible: Resource }
  | { readonly writable: Resource; readonly skipVisible?: boolean }
  | { readonly creatable: NewResource }
  | { readonly role: RoleGate }
  | {
      readonly permission: PermissionQuery;
      readonly operation: Operation;
      readonly least?: AccessLevel | undefined;
    };

/** A column of your rows that a list filter may need. */
export type Field =
  "OWNER_PRINCIPAL_ID" | "CLUSTER_ID" | "ID" | "CREATED_BY" | "ORGANIZATION_ID";

/** How SQL parameters are written: `$1`, `%s`, `?` or `:p1`. */
export type Placeholders = "DOLLAR" | "FORMAT" | "QUESTION" | "NAMED";

/** How a filter's SQL is to look. */
export interface SqlOptions {
  readonly columns: Readonly<Partial<Record<Field, string>>>;
  readonly placeholders: Placeholders;
  /** The number of the first parameter for styles that count; 1. */
  readonly firstParameter?: number | undefined;
}

/** A rule to be validated; a level that is not there is not sent. */
export interface AccessRule {
  readonly roleId: string;
  readonly context: RuleContext;
  readonly item?: string | undefined;
  readonly view?: boolean;
  readonly read?: AccessLevel | undefined;
  readonly create?: AccessLevel | undefined;
  readonly update?: AccessLevel | undefined;
  readonly delete?: AccessLevel | undefined;
}

export function resourceMessage(
  resource: Resource,
): MessageInitShape<typeof ResourceSchema> {
  chosen(resource, ["kind", "id", "attributes"]);
  const { attributes } = resource;
  if (attributes !== undefined) chosen(attributes, ["owner", "cluster"]);
  return {
    kind: text(resource.kind, "kind"),
    id: text(resource.id, "id"),
    ...(attributes !== undefined && {
      attributes: {
        ...ownerMessage(attributes.owner),
        ...optional("clusterId", given(attributes.cluster, "cluster_id")),
      },
    }),
  };
}

export function newResourceMessage(
  resource: NewResource,
): MessageInitShape<typeof NewResourceSchema> {
  chosen(resource, ["kind", "owner"]);
  return {
    kind: text(resource.kind, "kind"),
    ...ownerMessage(resource.owner),
  };
}

type OwnerMessage = Pick<MessageInitShape<typeof NewResourceSchema>, "owner">;

function ownerMessage(owner: Owner | null): OwnerMessage {
  // An owner that was forgotten is sent as such, and refused for kinds that carry one.
  if (owner === null || (owner as Owner | undefined) === undefined) return {};
  chosen(owner, ["ownedBy", "unowned"]);
  switch (one(owner)) {
    case "ownedBy": {
      const { ownedBy } = owner as { ownedBy: string };
      const value = text(ownedBy, "owner_principal_id");
      return { owner: { case: "ownerPrincipalId", value } };
    }
    default:
      if ((owner as { unowned: unknown }).unowned !== true) throw malformed();
      return { owner: { case: "global", value: true } };
  }
}

export function gateMessage(
  gate: RoleGate,
): MessageInitShape<typeof RoleGateSchema> {
  chosen(gate, ["platformAdmin", "anyOfOrgRoles"]);
  one(gate);
  if ("anyOfOrgRoles" in gate) {
    const roles = gate.anyOfOrgRoles.map((each) => roleNumber(each));
    return { gate: { case: "anyOfOrgRoles", value: { roles } } };
  }
  if ((gate.platformAdmin as unknown) !== true) throw malformed();
  return { gate: { case: "platformAdmin", value: true } };
}

function roleNumber(role: OrgRole): OrgRoleNumber {
  return word(OrgRoleNumber, role, "any_of_org_roles");
}

export function queryMessage(
  query: PermissionQuery,
): MessageInitShape<typeof PermissionQuerySchema> {
  chosen(query, ["context", "item", "featureInstanceId"]);
  const instance = given(query.featureInstanceId, "feature_instance_id");
  return {
    context: word(RuleContextNumber, query.context, "context"),
    ...optional("item", given(query.item, "item")),
    ...optional("featureInstanceId", instance),
  };
}

export function requirementMessage(
  requirement: Requirement,
): MessageInitShape<typeof RequirementSchema> {
  if ("visible" in requirement) {
    chosen(requirement, ["visible"]);
    const value = resourceMessage(requirement.visible);
    return { requirement: { case: "visible", value } };
  }
  if ("writable" in requirement) {
    chosen(requirement, ["writable", "skipVisible"]);
    const resource = resourceMessage(requirement.writable);
    const skipVisible = requirement.skipVisible === true;
    return {
      requirement: { case: "writable", value: { resource, skipVisible } },
    };
  }
  if ("creatable" in requirement) {
    chosen(requirement, ["creatable"]);
    const value = newResourceMessage(requirement.creatable);
    return { requirement: { case: "creatable", value } };
  }
  if ("role" in requirement) {
    chosen(requirement, ["role"]);
    const value = gateMessage(requirement.role);
    return { requirement: { case: "role", value } };
  }
  chosen(requirement, ["permission", "operation", "least"]);
  const value = {
    query: queryMessage(requirement.permission),
    operation: word(OperationNumber, requirement.operation, "operation"),
    leastLevel: levelNumber(requirement.least, "least_level"),
  };
  return { requirement: { case: "permission", value } };
}

export function sqlMessage(
  sql: SqlOptions,
): MessageInitShape<typeof SqlOptionsSchema> {
  chosen(sql, ["columns", "placeholders", "firstParameter"]);
  const style = word(PlaceholderStyle, sql.placeholders, "placeholder_style");
  const first = sql.firstParameter ?? 1;
  if (!Number.isInteger(first) || first < 0 || first > 0xffffffff)
    throw malformed("sql.first_parameter");
  return {
    columns: Object.entries(sql.columns).map(([field, column]) => ({
      field: word(FilterField, field, "sql.columns"),
      column: text(column, "sql.columns"),
    })),
    placeholderStyle: style,
    firstParameter: first,
  };
}

export function ruleMessage(
  rule: AccessRule,
): MessageInitShape<typeof AccessRuleSchema> {
  const levels = ["read", "create", "update", "delete"] as const;
  chosen(rule, ["roleId", "context", "item", "view", ...levels]);
  return {
    roleId: text(rule.roleId, "role_id"),
    context: word(RuleContextNumber, rule.context, "context"),
    ...optional("item", given(rule.item, "item")),
    view: rule.view === true,
    read: levelNumber(rule.read, "read"),
    create: levelNumber(rule.create, "create"),
    update: levelNumber(rule.update, "update"),
    delete: levelNumber(rule.delete, "delete"),
  };
}

function levelNumber(
  level: AccessLevel | undefined,
  field: string,
): LevelNumber {
  if (level === undefined) return LevelNumber.UNSPECIFIED;
  return word(LevelNumber, level.name, field);
}

function given(value: string | undefined, field: string): string | undefined {
  return value === undefined ? undefined : text(value, field);
}

function one(choice: object): string {
  const [name, ...more] = Object.keys(choice);
  if (name === undefined || more.length > 0) throw malformed();
  return name;
}

function malformed(field = ""): InvalidRequestError {
  const message = "the question has a choice that is none";
  return new InvalidRequestError(message, { reason: "MALFORMED_FIELD", field });
}

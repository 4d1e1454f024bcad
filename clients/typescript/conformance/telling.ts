/** From what the client answers or throws to bare JSON. */

import {
  type Answer,
  Authorization,
  type AuthzError,
  type AvailableContext,
  AvailableContexts,
  CheckedRole,
  type Condition,
  type Decision,
  Decisions,
  InvalidRequestError,
  ListFilter,
  type Permissions,
  PermissionsList,
  ResolvedContext,
  RuleProblems,
  type Selection,
  type SqlValue,
  type TenantContext,
} from "../src/index.js";
import type { Json, Row } from "./json.js";

/** An answer of any call. */
export function answer(given: Answer): Row {
  if (given instanceof ResolvedContext)
    return { context: context(given.context) };
  if (given instanceof AvailableContexts)
    return { contexts: [...given].map((each) => available(each)) };
  if (given instanceof Decisions)
    return { decisions: [...given].map((each) => decision(each)) };
  if (given instanceof CheckedRole)
    return { decision: decision(given.decision) };
  if (given instanceof PermissionsList)
    return { permissions: [...given].map((each) => permissions(each)) };
  if (given instanceof Authorization) return authorization(given);
  if (given instanceof ListFilter) return listFilter(given);
  if (given instanceof RuleProblems)
    return {
      problems: [...given].map(({ ruleIndex, field, reason }) => ({
        rule_index: ruleIndex,
        field,
        reason,
      })),
    };
  throw new TypeError("the answer of no vector");
}

/** An error of any call. */
export function error(thrown: AuthzError): Row {
  const { code, reason } = thrown;
  if (!(thrown instanceof InvalidRequestError)) return { code, reason };
  return { code, reason, ...given("field", thrown.field) };
}

function decision({ allowed, denial, reason }: Decision): Row {
  return { allowed, ...given("denial", denial), reason };
}

function authorization(told: Authorization): Row {
  return {
    decision: decision(told.decision),
    decisions: told.decisions.map((each) => decision(each)),
    ...(told.context !== null && { context: context(told.context) }),
  };
}

function context(told: TenantContext): Row {
  return {
    user_id: told.userId,
    is_platform_admin: told.isPlatformAdmin,
    is_system: told.isSystem,
    ...given("current_principal_id", told.currentPrincipalId),
    ...given("org_role", told.orgRole),
    accessible_cluster_ids: told.accessibleClusterIds,
    current_is_personal_scope: told.currentIsPersonalScope,
    bypass: told.bypass,
    has_org_context: told.hasOrgContext,
    ...given("write_principal_id", told.writePrincipalId),
  };
}

function available({
  kind,
  principalId,
  orgRole,
  name,
}: AvailableContext): Row {
  return {
    kind,
    ...given("principal_id", principalId),
    ...given("org_role", orgRole),
    name,
  };
}

function permissions(told: Permissions): Row {
  return {
    view: told.view,
    read: told.read.name,
    create: told.create.name,
    update: told.update.name,
    delete: told.delete.name,
  };
}

function listFilter({ selection: chosen, sql }: ListFilter): Row {
  const filter = selection(chosen);
  if (sql === null) return { filter };
  const parameters = sql.parameters.map((each) => parameter(each));
  return { filter, sql: { text: sql.text, parameters } };
}

function selection(told: Selection): Row {
  if (told.is === "EVERYTHING") return { everything: true };
  if (told.is === "NOTHING") return { nothing: true };
  return { condition: condition(told) };
}

function condition(told: Condition): Row {
  switch (told.is) {
    case "ALL_OF":
      return { all_of: { conditions: told.conditions.map(condition) } };
    case "ANY_OF":
      return { any_of: { conditions: told.conditions.map(condition) } };
    case "EQUALS":
      return { equals: { field: told.field, value: told.value } };
    case "IN":
      return { in: { field: told.field, values: told.values } };
  }
}

function parameter(value: SqlValue): Json {
  // The worlds have no ids that are uuids, which JavaScript takes as text too.
  if (typeof value === "bigint") return { int64: Number(value) };
  if (typeof value === "string") return { text: value };
  const values = value.map((each) =>
    typeof each === "bigint" ? Number(each) : each,
  );
  return typeof value[0] === "bigint"
    ? { int64_array: { values } }
    : { text_array: { values } };
}

function given(name: string, value: string | null): Row {
  return value === null || value === "" ? {} : { [name]: value };
}

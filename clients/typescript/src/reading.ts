/**
 * From messages to answers; what no correct server sends is a ProtocolError.
 *
 * A field that is missing, a word that is not known, a number of answers that is not the
 * number of questions: none of it may come out as an answer.
 */

import {
  type DescMessage,
  fromBinary,
  type MessageShape,
} from "@bufbuild/protobuf";

import * as answers from "./answers.js";
import { type Denial, ProtocolError } from "./errors.js";
import {
  AuthorizeResponseSchema,
  type CheckCreatableResponseSchema,
  CheckRoleResponseSchema,
  type CheckVisibleResponseSchema,
  type CheckWritableResponseSchema,
  GetPermissionsResponseSchema,
  ListContextsResponseSchema,
  ResolveContextResponseSchema,
  ValidateAccessRulesResponseSchema,
} from "./gen/authz/v1/authorization_service_pb.js";
import {
  type AvailableContext,
  ContextKind,
  OrgRole as OrgRoleNumber,
  type TenantContext,
} from "./gen/authz/v1/caller_pb.js";
import {
  type Decision,
  Denial as DenialNumber,
  Reason,
} from "./gen/authz/v1/decision_pb.js";
import {
  AccessLevel as LevelNumber,
  AccessRuleFault,
  type Permissions,
} from "./gen/authz/v1/permission_pb.js";
import { explanation, permissionExplanation } from "./explaining.js";
import { AccessLevel, type OrgRole } from "./levels.js";
import { bare, counts, wants } from "./wire.js";

// Which reasons go with yes and which with no is part of the contract; a reason in
// neither set is one that a decision cannot have.
const ALLOWING: ReadonlySet<string> = new Set([
  "OWNED",
  "GRANTED",
  "GLOBAL_VISIBLE",
  "BYPASS_SYSTEM",
  "BYPASS_PLATFORM_ADMIN",
  "ORG_ADMIN",
  "ACTING_PLATFORM_ADMIN",
  "PLATFORM_ADMIN",
  "ORG_ROLE",
  "PERMITTED",
  "ALL_HOLD",
]);
const DENYING: ReadonlySet<string> = new Set([
  "INVALID_CREDENTIAL",
  "INVALID_ORGANIZATION_ID",
  "UNKNOWN_RESOURCE_KIND",
  "NOT_A_MEMBER",
  "ORGANIZATION_NOT_FOUND",
  "RESOURCE_NOT_FOUND",
  "GLOBAL_RESOURCE",
  "OTHER_OWNER",
  "INSUFFICIENT_ORG_ROLE",
  "PLATFORM_ADMIN_REQUIRED",
  "NO_ORG_CONTEXT",
  "INSUFFICIENT_PERMISSION",
]);

/** The message in bytes from the wire. */
export function decoded<D extends DescMessage>(
  kind: D,
  data: Uint8Array,
): MessageShape<D> {
  try {
    return fromBinary(kind, data, { readUnknownFields: false });
  } catch (cause) {
    const message = "the answer is no message of this API";
    throw new ProtocolError(message, { cause });
  }
}

export function resolvedContext(data: Uint8Array): answers.ResolvedContext {
  const message = decoded(ResolveContextResponseSchema, data);
  const context = tenantContext(wants(message.context, "context"));
  return new answers.ResolvedContext(context, message.revision ?? null);
}

export function availableContexts(data: Uint8Array): answers.AvailableContexts {
  const message = decoded(ListContextsResponseSchema, data);
  const contexts = message.contexts.map((each) => available(each));
  return new answers.AvailableContexts(contexts, message.revision ?? null);
}

type Checked =
  | typeof CheckVisibleResponseSchema
  | typeof CheckWritableResponseSchema
  | typeof CheckCreatableResponseSchema;

/** The answer of a check of `count` resources. */
export function decisions(
  kind: Checked,
  count: number,
  data: Uint8Array,
): answers.Decisions {
  const message = decoded(kind, data);
  const each = numbered(message.decisions, message.decisionId, count);
  const revision = message.revision ?? null;
  return new answers.Decisions(each, message.decisionId, revision);
}

export function checkedRole(data: Uint8Array): answers.CheckedRole {
  const message = decoded(CheckRoleResponseSchema, data);
  const id = wants(message.decisionId, "decision_id");
  const verdict = decision(wants(message.decision, "decision"), id);
  return new answers.CheckedRole(verdict, id, message.revision ?? null);
}

/** The answer of Authorize for `count` requirements. */
export function authorization(
  count: number,
  data: Uint8Array,
): answers.Authorization {
  const message = decoded(AuthorizeResponseSchema, data);
  const id = wants(message.decisionId, "decision_id");
  const each = numbered(message.decisions, id, count);
  const verdict = decision(wants(message.decision, "decision"), id);
  if (verdict.allowed !== each.every((one) => one.allowed))
    throw new ProtocolError(
      "the answer's verdict is not that of its decisions",
    );
  if (verdict.allowed) wants(message.context, "context");
  const { context, revision = null } = message;
  return new answers.Authorization({
    decision: verdict,
    decisions: each,
    context: context === undefined ? null : tenantContext(context),
    decisionId: id,
    revision,
  });
}

/** The answer of GetPermissions to `count` queries. */
export function permissionsList(
  count: number,
  data: Uint8Array,
): answers.PermissionsList {
  const message = decoded(GetPermissionsResponseSchema, data);
  const id = wants(message.decisionId, "decision_id");
  counts(message.permissions.length, count);
  const each = message.permissions.map((one) => permissions(one));
  return new answers.PermissionsList(each, id, message.revision ?? null);
}

/** The answer of ValidateAccessRules on `count` rules. */
export function ruleProblems(
  count: number,
  data: Uint8Array,
): answers.RuleProblems {
  const message = decoded(ValidateAccessRulesResponseSchema, data);
  const problems = message.problems.map(
    ({ ruleIndex, field, reason, message: told }) => {
      if (ruleIndex >= count)
        throw new ProtocolError("the answer is about a rule that was not sent");
      const fault = bare(AccessRuleFault, reason);
      return Object.freeze({ ruleIndex, field, reason: fault, message: told });
    },
  );
  return new answers.RuleProblems(problems);
}

function numbered(
  found: readonly Decision[],
  decisionId: string,
  count: number,
): answers.Decision[] {
  wants(decisionId, "decision_id");
  counts(found.length, count);
  return found.map((each, number) =>
    decision(each, `${decisionId}.${String(number)}`),
  );
}

function decision(message: Decision, decisionId: string): answers.Decision {
  const isDenied = message.denial !== DenialNumber.UNSPECIFIED;
  if (message.allowed === isDenied)
    throw new ProtocolError(
      "the answer has a decision that both allows and denies",
    );
  const denial = isDenied
    ? (bare(DenialNumber, message.denial) as Denial)
    : null;
  const reason = bare(Reason, message.reason);
  if (!(message.allowed ? ALLOWING : DENYING).has(reason))
    throw new ProtocolError(
      `the answer has a decision with the reason \`${reason}\``,
    );
  const told = message.explanation;
  return new answers.Decision({
    allowed: message.allowed,
    denial,
    reason,
    message: message.message,
    decisionId,
    explanation: told === undefined ? null : explanation(told),
  });
}

function tenantContext(message: TenantContext): answers.TenantContext {
  return Object.freeze({
    userId: wants(message.userId, "context.user_id"),
    isPlatformAdmin: message.isPlatformAdmin,
    isSystem: message.isSystem,
    currentPrincipalId: message.currentPrincipalId ?? null,
    orgRole: orgRole(message.orgRole),
    accessibleClusterIds: Object.freeze([...message.accessibleClusterIds]),
    currentIsPersonalScope: message.currentIsPersonalScope,
    bypass: message.bypass,
    hasOrgContext: message.hasOrgContext,
    writePrincipalId: message.writePrincipalId ?? null,
  });
}

function available(message: AvailableContext): answers.AvailableContext {
  return Object.freeze({
    kind: bare(ContextKind, message.kind) as answers.ContextKind,
    principalId: message.principalId ?? null,
    orgRole: orgRole(message.orgRole),
    name: message.name,
  });
}

function orgRole(number: OrgRoleNumber | undefined): OrgRole | null {
  if (number === undefined) return null;
  return bare(OrgRoleNumber, number) as OrgRole;
}

function permissions(message: Permissions): answers.Permissions {
  const told = message.explanation;
  return new answers.Permissions({
    view: message.view,
    read: level(message.read),
    create: level(message.create),
    update: level(message.update),
    delete: level(message.delete),
    explanation: told === undefined ? null : permissionExplanation(told),
  });
}

function level(number: LevelNumber): AccessLevel {
  const name = bare(LevelNumber, number);
  return AccessLevel[name as "NONE" | "MY" | "GROUP" | "ALL"];
}

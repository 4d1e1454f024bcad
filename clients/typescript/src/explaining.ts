/** From messages to explanations. */

import type * as messages from "./gen/authz/v1/decision_pb.js";
import { StepOutcome as OutcomeNumber } from "./gen/authz/v1/decision_pb.js";
import {
  PermissionBasis,
  type PermissionExplanation as PermissionMessage,
  type RoleExplanation as RoleMessage,
  RoleOutcome,
  RoleScope,
  RoleSource,
} from "./gen/authz/v1/permission_pb.js";
import type {
  Explanation,
  PermissionExplanation,
  RoleExplanation,
  StepOutcome,
} from "./explanations.js";
import { bare } from "./wire.js";

export function explanation(message: messages.Explanation): Explanation {
  const { permission } = message;
  return {
    steps: message.steps.map(({ rule, outcome, detail }) => ({
      rule,
      outcome: bare(OutcomeNumber, outcome) as StepOutcome,
      detail,
    })),
    permission:
      permission === undefined ? null : permissionExplanation(permission),
  };
}

export function permissionExplanation(
  message: PermissionMessage,
): PermissionExplanation {
  return {
    basis: bare(PermissionBasis, message.basis),
    roles: message.roles.map((each) => role(each)),
    steps: message.steps,
  };
}

function role(message: RoleMessage): RoleExplanation {
  const isKnown = message.scope !== RoleScope.UNSPECIFIED;
  return {
    roleId: message.roleId,
    label: message.label,
    scope: isKnown ? bare(RoleScope, message.scope) : null,
    source: bare(RoleSource, message.source),
    outcome: bare(RoleOutcome, message.outcome),
    ruleId: message.ruleId ?? null,
    ruleItem: message.ruleItem ?? null,
  };
}

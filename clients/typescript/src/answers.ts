/** Answers, as values that nobody can take for `true` by accident. */

import { Answer, Several } from "./answer.js";
import { type Denial, DeniedError, httpStatusOf } from "./errors.js";
import type { Explanation, PermissionExplanation } from "./explanations.js";
import { AccessLevel, type Operation, type OrgRole } from "./levels.js";

type Parts<T> = Readonly<Omit<T, keyof Answer | Verbs>>;
type Verbs = "require" | "httpStatus" | "level" | "allAllowed" | "allowed";

/** What is asked for with a decision: the answer to one check. */
export class Decision extends Answer {
  /** Whether it is allowed; `denial` is null exactly then. */
  readonly allowed: boolean;
  readonly denial: Denial | null;
  /** The bare name of a reason of the API, such as `OWNED` or `RESOURCE_NOT_FOUND`. */
  readonly reason: string;
  /** The same for people. */
  readonly message: string;
  /** Names the answer in the sidecar's logs. */
  readonly decisionId: string;
  /** Set when it was asked for. */
  readonly explanation: Explanation | null;

  constructor(parts: Parts<Decision> & { readonly allowed: boolean }) {
    super();
    this.allowed = parts.allowed;
    this.denial = parts.denial;
    this.reason = parts.reason;
    this.message = parts.message;
    this.decisionId = parts.decisionId;
    this.explanation = parts.explanation;
    Object.freeze(this);
  }

  /** Does nothing when allowed; throws DeniedError otherwise. */
  require(): void {
    if ((this.allowed as unknown) === true && this.denial === null) return;
    const { denial, reason, message, decisionId } = this;
    throw new DeniedError(denial ?? "FORBIDDEN", reason, message, decisionId);
  }

  /** The status for an HTTP response: 200 when allowed. */
  get httpStatus(): number {
    if (this.allowed && this.denial === null) return 200;
    return httpStatusOf(this.denial ?? "FORBIDDEN");
  }
}

/** One decision for each question, at least one. */
export class Decisions extends Several<Decision> {
  readonly decisionId: string;
  /** The answer reflects at least every change up to here; null when not known. */
  readonly revision: string | null;

  constructor(
    decisions: readonly Decision[],
    decisionId: string,
    revision: string | null,
  ) {
    super(decisions);
    this.decisionId = decisionId;
    this.revision = revision;
    Object.freeze(this);
  }

  /** Whether every one is allowed; nothing at all is not allowed. */
  get allAllowed(): boolean {
    return this.length > 0 && [...this].every((each) => each.allowed);
  }

  /** Does nothing when all are allowed; throws DeniedError for the first that is not. */
  require(): void {
    for (const each of this) each.require();
    if (!this.allAllowed)
      throw new DeniedError("FORBIDDEN", "", "nothing was decided", "");
  }
}

/** As which tenant a caller acts. */
export interface TenantContext {
  readonly userId: string;
  readonly isPlatformAdmin: boolean;
  readonly isSystem: boolean;
  /** Null in All mode. */
  readonly currentPrincipalId: string | null;
  readonly orgRole: OrgRole | null;
  readonly accessibleClusterIds: readonly string[];
  readonly currentIsPersonalScope: boolean;
  readonly bypass: boolean;
  readonly hasOrgContext: boolean;
  readonly writePrincipalId: string | null;
}

/** A tenant context, and how fresh it is. */
export class ResolvedContext extends Answer {
  readonly context: TenantContext;
  readonly revision: string | null;

  constructor(context: TenantContext, revision: string | null) {
    super();
    this.context = Object.freeze(context);
    this.revision = revision;
    Object.freeze(this);
  }
}

/** What kind of tenant a context is. */
export type ContextKind = "PERSONAL" | "ORGANIZATION" | "ALL" | "PINNED";

/** One tenant as which a caller may act. */
export interface AvailableContext {
  readonly kind: ContextKind;
  readonly principalId: string | null;
  readonly orgRole: OrgRole | null;
  readonly name: string;
}

/** Personal scope first, then organizations by id, then All mode. */
export class AvailableContexts extends Several<AvailableContext> {
  readonly revision: string | null;

  constructor(contexts: readonly AvailableContext[], revision: string | null) {
    super(contexts);
    this.revision = revision;
    Object.freeze(this);
  }
}

/** The verdict on all requirements, and on each in their order. */
export class Authorization extends Answer {
  readonly decision: Decision;
  readonly decisions: readonly Decision[];
  /** Null when it did not resolve, which denies. */
  readonly context: TenantContext | null;
  readonly decisionId: string;
  readonly revision: string | null;

  constructor(parts: Parts<Authorization>) {
    super();
    this.decision = parts.decision;
    this.decisions = Object.freeze([...parts.decisions]);
    this.context = parts.context;
    this.decisionId = parts.decisionId;
    this.revision = parts.revision;
    Object.freeze(this);
  }

  /** Whether all requirements hold. */
  get allowed(): boolean {
    return this.decision.allowed;
  }

  /** Does nothing when all requirements hold; throws DeniedError otherwise. */
  require(): void {
    this.decision.require();
  }
}

/** The decision of a role gate. */
export class CheckedRole extends Answer {
  readonly decision: Decision;
  readonly decisionId: string;
  readonly revision: string | null;

  constructor(decision: Decision, decisionId: string, revision: string | null) {
    super();
    this.decision = decision;
    this.decisionId = decisionId;
    this.revision = revision;
    Object.freeze(this);
  }

  /** Whether the caller passes. */
  get allowed(): boolean {
    return this.decision.allowed;
  }

  /** Does nothing when the caller passes; throws DeniedError otherwise. */
  require(): void {
    this.decision.require();
  }
}

/** What roles allow on one item. */
export class Permissions extends Answer {
  readonly view: boolean;
  readonly read: AccessLevel;
  readonly create: AccessLevel;
  readonly update: AccessLevel;
  readonly delete: AccessLevel;
  readonly explanation: PermissionExplanation | null;

  constructor(parts: Parts<Permissions>) {
    super();
    this.view = parts.view;
    this.read = parts.read;
    this.create = parts.create;
    this.update = parts.update;
    this.delete = parts.delete;
    this.explanation = parts.explanation;
    Object.freeze(this);
  }

  /** How far an operation reaches; viewing reaches everything or nothing. */
  level(operation: Operation): AccessLevel {
    const levels: Readonly<Record<Operation, AccessLevel>> = {
      VIEW: this.view ? AccessLevel.ALL : AccessLevel.NONE,
      READ: this.read,
      CREATE: this.create,
      UPDATE: this.update,
      DELETE: this.delete,
    };
    return levels[operation];
  }
}

/** The permissions for each query. */
export class PermissionsList extends Several<Permissions> {
  readonly decisionId: string;
  readonly revision: string | null;

  constructor(
    permissions: readonly Permissions[],
    decisionId: string,
    revision: string | null,
  ) {
    super(permissions);
    this.decisionId = decisionId;
    this.revision = revision;
    Object.freeze(this);
  }
}

/** One thing that is wrong with a rule; rules are counted from 0. */
export interface RuleProblem {
  readonly ruleIndex: number;
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

/** What is wrong with rules; none means that they may be stored. */
export class RuleProblems extends Several<RuleProblem> {
  constructor(problems: readonly RuleProblem[]) {
    super(problems);
    Object.freeze(this);
  }
}

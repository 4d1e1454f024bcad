/** The facts that decided, for administrators. They tell foreign from missing. */

/** What a rule came to. */
export type StepOutcome = "FACT" | "PASSED" | "ALLOWED" | "DENIED";

/** One rule, and its outcome. */
export interface ExplanationStep {
  readonly rule: string;
  readonly outcome: StepOutcome;
  readonly detail: string;
}

/** The facts that decided, in the order in which the rules were tried. */
export interface Explanation {
  readonly steps: readonly ExplanationStep[];
  /** For a permission requirement. */
  readonly permission: PermissionExplanation | null;
}

/** One role that the caller holds, and what became of it; words as in the API. */
export interface RoleExplanation {
  readonly roleId: string;
  readonly label: string;
  /** Null when the role does not exist. */
  readonly scope: string | null;
  readonly source: string;
  readonly outcome: string;
  readonly ruleId: string | null;
  readonly ruleItem: string | null;
}

/** How permissions came about. */
export interface PermissionExplanation {
  readonly basis: string;
  readonly roles: readonly RoleExplanation[];
  readonly steps: readonly string[];
}

/** Asks authz-sidecar, and fails closed: no error and no answer reads as allowed. */

export { Answer, Several } from "./answer.js";
export {
  Authorization,
  type AvailableContext,
  AvailableContexts,
  CheckedRole,
  type ContextKind,
  Decision,
  Decisions,
  Permissions,
  PermissionsList,
  ResolvedContext,
  type RuleProblem,
  RuleProblems,
  type TenantContext,
} from "./answers.js";
export type { Retry } from "./attempts.js";
export type {
  Explained,
  Fresh,
  Listing,
  OneOrMore,
  Timed,
  Writing,
} from "./calls.js";
export { Caller, type InOrganization, type Named } from "./caller.js";
export type { Pem, Tls } from "./channels.js";
export { Client, type ClientOptions } from "./client.js";
export {
  AuthzError,
  DeadlineError,
  type Denial,
  DeniedError,
  type ErrorParts,
  InternalError,
  InvalidRequestError,
  NotFoundError,
  NotServedError,
  OverloadedError,
  PermissionDeniedError,
  ProtocolError,
  UnauthenticatedError,
  UnavailableError,
  UndecidedError,
  UnknownRevisionError,
} from "./errors.js";
export type {
  Explanation,
  ExplanationStep,
  PermissionExplanation,
  RoleExplanation,
  StepOutcome,
} from "./explanations.js";
export {
  type Condition,
  ListFilter,
  type Selection,
  type SqlFilter,
  type SqlValue,
} from "./filters.js";
export {
  AccessLevel,
  type LevelName,
  type Operation,
  type OrgRole,
  type RuleContext,
} from "./levels.js";
export type {
  AccessRule,
  Attributes,
  Field,
  NewResource,
  Owner,
  PermissionQuery,
  Placeholders,
  Requirement,
  Resource,
  RoleGate,
  SqlOptions,
} from "./questions.js";
export {
  type Change,
  type Position,
  ServerInfo,
  type WatchEvent,
} from "./server.js";

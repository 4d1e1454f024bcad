/**
 * Each question of the API as a call: what is sent, and how its answer is read.
 *
 * A call knows nothing of sockets and of waiting.
 */

import {
  create,
  type DescMessage,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";

import type * as answers from "./answers.js";
import type { Caller } from "./caller.js";
import { InvalidRequestError } from "./errors.js";
import { listFilter } from "./filtering.js";
import type { ListFilter } from "./filters.js";
import * as api from "./gen/authz/v1/authorization_service_pb.js";
import type { ConsistencySchema } from "./gen/authz/v1/caller_pb.js";
import * as questions from "./questions.js";
import * as reading from "./reading.js";
import { chosen, text } from "./sending.js";
import type { ServerInfo, WatchEvent } from "./server.js";
import { serverInfo, watchEvent } from "./watching.js";

/** How long to wait for an answer: milliseconds, in place of the client's. */
export interface Timed {
  readonly timeoutMs?: number | undefined;
}

/** The same, and how fresh the answer is to be: only one of the two. */
export interface Fresh extends Timed {
  /** A revision: each fact is at least as fresh. */
  readonly atLeastAsFresh?: string | undefined;
  /** All facts from one snapshot of the database. */
  readonly fullyConsistent?: boolean;
}

/** The same, and whether the answer is to say why. */
export interface Explained extends Fresh {
  readonly explain?: boolean;
}

/** The same for whether resources may be changed. */
export interface Writing extends Explained {
  /** That visibility was checked already. */
  readonly skipVisible?: boolean;
}

/** The same for list filters. */
export interface Listing extends Fresh {
  /** A DATA query whose read level is joined by AND. */
  readonly permission?: questions.PermissionQuery | undefined;
  /** Asks for the filter as SQL too. */
  readonly sql?: questions.SqlOptions | undefined;
}

/** One question, or several of its kind in one call. */
export type OneOrMore<T> = T | readonly T[];

/** A question that is ready to be sent. */
export interface Call<A> {
  readonly method: string;
  readonly request: Uint8Array;
  readonly read: (data: Uint8Array) => A;
  readonly timeoutMs: number | undefined;
}

const TIMED = ["timeoutMs"];
const FRESH = [...TIMED, "atLeastAsFresh", "fullyConsistent"];
const EXPLAINED = [...FRESH, "explain"];

export function resolveContext(
  caller: Caller,
  options: Fresh = {},
): Call<answers.ResolvedContext> {
  const request = sent(api.ResolveContextRequestSchema, {
    caller: caller.message(),
    ...fresh(options, FRESH),
  });
  return call("ResolveContext", request, reading.resolvedContext, options);
}

export function listContexts(
  caller: Caller,
  options: Fresh = {},
): Call<answers.AvailableContexts> {
  const request = sent(api.ListContextsRequestSchema, {
    caller: caller.message(),
    ...fresh(options, FRESH),
  });
  return call("ListContexts", request, reading.availableContexts, options);
}

export function checkVisible(
  caller: Caller,
  resources: OneOrMore<questions.Resource>,
  options: Explained = {},
): Call<answers.Decisions> {
  const asked = listed(resources, "resources", questions.resourceMessage);
  const request = sent(api.CheckVisibleRequestSchema, {
    caller: caller.message(),
    resources: asked,
    ...explained(options, EXPLAINED),
  });
  const read = (data: Uint8Array) =>
    reading.decisions(api.CheckVisibleResponseSchema, asked.length, data);
  return call("CheckVisible", request, read, options);
}

export function checkWritable(
  caller: Caller,
  resources: OneOrMore<questions.Resource>,
  options: Writing = {},
): Call<answers.Decisions> {
  const asked = listed(resources, "resources", questions.resourceMessage);
  const request = sent(api.CheckWritableRequestSchema, {
    caller: caller.message(),
    resources: asked,
    skipVisible: options.skipVisible === true,
    ...explained(options, [...EXPLAINED, "skipVisible"]),
  });
  const read = (data: Uint8Array) =>
    reading.decisions(api.CheckWritableResponseSchema, asked.length, data);
  return call("CheckWritable", request, read, options);
}

export function checkCreatable(
  caller: Caller,
  resources: OneOrMore<questions.NewResource>,
  options: Explained = {},
): Call<answers.Decisions> {
  const asked = listed(resources, "resources", questions.newResourceMessage);
  const request = sent(api.CheckCreatableRequestSchema, {
    caller: caller.message(),
    resources: asked,
    ...explained(options, EXPLAINED),
  });
  const read = (data: Uint8Array) =>
    reading.decisions(api.CheckCreatableResponseSchema, asked.length, data);
  return call("CheckCreatable", request, read, options);
}

export function checkRole(
  caller: Caller,
  gate: questions.RoleGate,
  options: Explained = {},
): Call<answers.CheckedRole> {
  const request = sent(api.CheckRoleRequestSchema, {
    caller: caller.message(),
    gate: questions.gateMessage(gate),
    ...explained(options, EXPLAINED),
  });
  return call("CheckRole", request, reading.checkedRole, options);
}

export function getPermissions(
  caller: Caller,
  queries: OneOrMore<questions.PermissionQuery>,
  options: Explained = {},
): Call<answers.PermissionsList> {
  const asked = listed(queries, "queries", questions.queryMessage);
  const request = sent(api.GetPermissionsRequestSchema, {
    caller: caller.message(),
    queries: asked,
    ...explained(options, EXPLAINED),
  });
  const read = (data: Uint8Array) =>
    reading.permissionsList(asked.length, data);
  return call("GetPermissions", request, read, options);
}

export function authorize(
  caller: Caller,
  requirements: OneOrMore<questions.Requirement>,
  options: Explained = {},
): Call<answers.Authorization> {
  const convert = questions.requirementMessage;
  const asked = listed(requirements, "requirements", convert);
  const request = sent(api.AuthorizeRequestSchema, {
    caller: caller.message(),
    requirements: asked,
    ...explained(options, EXPLAINED),
  });
  const read = (data: Uint8Array) => reading.authorization(asked.length, data);
  return call("Authorize", request, read, options);
}

export function getListFilter(
  caller: Caller,
  kind: string,
  options: Listing = {},
): Call<ListFilter> {
  const { permission, sql } = options;
  const request = sent(api.GetListFilterRequestSchema, {
    caller: caller.message(),
    kind: text(kind, "kind"),
    ...(permission !== undefined && {
      permission: questions.queryMessage(permission),
    }),
    ...(sql !== undefined && { sql: questions.sqlMessage(sql) }),
    ...fresh(options, [...FRESH, "permission", "sql"]),
  });
  const read = (data: Uint8Array) => listFilter(sql !== undefined, data);
  return call("GetListFilter", request, read, options);
}

export function validateAccessRules(
  rules: OneOrMore<questions.AccessRule>,
  options: Timed = {},
): Call<answers.RuleProblems> {
  chosen(options, TIMED);
  const asked = listed(rules, "rules", questions.ruleMessage);
  const request = sent(api.ValidateAccessRulesRequestSchema, { rules: asked });
  const read = (data: Uint8Array) => reading.ruleProblems(asked.length, data);
  return call("ValidateAccessRules", request, read, options);
}

export function getServerInfo(options: Timed = {}): Call<ServerInfo> {
  chosen(options, TIMED);
  return call("GetServerInfo", new Uint8Array(), serverInfo, options);
}

export function watch(afterRevision: string | undefined): Call<WatchEvent> {
  const after =
    afterRevision === undefined
      ? {}
      : { afterRevision: text(afterRevision, "after_revision") };
  return call("Watch", sent(api.WatchRequestSchema, after), watchEvent, {});
}

function call<A>(
  method: string,
  request: Uint8Array,
  read: (data: Uint8Array) => A,
  { timeoutMs }: Timed,
): Call<A> {
  return { method, request, read, timeoutMs };
}

function listed<T, M>(
  asked: OneOrMore<T>,
  field: string,
  convert: (one: T) => M,
): M[] {
  const several = Array.isArray(asked) ? (asked as readonly T[]) : [asked as T];
  return several.map((each, number) => {
    try {
      return convert(each);
    } catch (error) {
      throw placed(error, `${field}[${String(number)}]`);
    }
  });
}

// Says of which element a field is, as the sidecar does.
function placed(error: unknown, place: string): unknown {
  if (!(error instanceof InvalidRequestError)) return error;
  const { reason } = error;
  const field = error.field === "" ? place : `${place}.${error.field}`;
  return new InvalidRequestError(error.message, { reason, field });
}

type Consistent = MessageInitShape<typeof ConsistencySchema>;

function explained(
  options: Explained,
  names: readonly string[],
): { consistency?: Consistent; explain: boolean } {
  return { ...fresh(options, names), explain: options.explain === true };
}

function fresh(
  options: Fresh,
  names: readonly string[],
): { consistency?: Consistent } {
  chosen(options, names);
  const { atLeastAsFresh, fullyConsistent = false } = options;
  if (fullyConsistent && atLeastAsFresh !== undefined)
    throw new TypeError("only one of `atLeastAsFresh`, `fullyConsistent`");
  if (fullyConsistent)
    return {
      consistency: { requirement: { case: "fullyConsistent", value: true } },
    };
  if (atLeastAsFresh === undefined) return {};
  const value = text(atLeastAsFresh, "consistency.at_least_as_fresh");
  return { consistency: { requirement: { case: "atLeastAsFresh", value } } };
}

function sent<D extends DescMessage>(
  kind: D,
  content: MessageInitShape<D>,
): Uint8Array {
  return toBinary(kind, create(kind, content));
}

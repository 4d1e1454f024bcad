/**
 * Checks in front of handlers, for Express and everything that takes its middleware.
 *
 * A request gets through only after an answer that allows. Denials become 400, 401, 403
 * and 404; whatever else happens becomes 503 and is logged.
 */

import {
  type IncomingMessage,
  STATUS_CODES,
  type ServerResponse,
} from "node:http";

import type { TenantContext } from "./answers.js";
import type { OneOrMore } from "./calls.js";
import type { Caller } from "./caller.js";
import type { Client } from "./client.js";
import { type CallerOf, credentials } from "./credentials.js";
import {
  AuthzError,
  DeniedError,
  InternalError,
  InvalidRequestError,
  NotFoundError,
  PermissionDeniedError,
  UnauthenticatedError,
} from "./errors.js";
import type { Requirement } from "./questions.js";
import { chosen } from "./sending.js";

export { type CallerOf, credentials, trustedHeader } from "./credentials.js";

/** Says that Envoy let a request through because it got no answer. */
const FAILURE_MODE = "x-envoy-auth-failure-mode-allowed";

/** A middleware of Express. */
export type Handler<R extends IncomingMessage> = (
  request: R,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** How a guard recognises callers, and whom it tells of trouble. */
export interface GuardOptions {
  /** Who calls; by default whom a credential shows, and no header that only names. */
  readonly callerOf?: CallerOf;
  /** Gets what kept a request from being decided; by default it is written to stderr. */
  readonly log?: (error: unknown, request: IncomingMessage) => void;
}

interface Admitted {
  readonly caller: Caller;
  readonly context: TenantContext;
}

const admitted = new WeakMap<IncomingMessage, Admitted>();

/** As which tenant the caller of an admitted request acts; throws for any other. */
export function contextOf(request: IncomingMessage): TenantContext {
  return admittedOf(request).context;
}

/** The caller of an admitted request; throws for any other. */
export function callerOf(request: IncomingMessage): Caller {
  return admittedOf(request).caller;
}

/** Stands in front of handlers. */
export class Guard {
  readonly #client: Client;
  readonly #callerOf: CallerOf;
  readonly #log: (error: unknown, request: IncomingMessage) => void;

  constructor(client: Client, options: GuardOptions = {}) {
    chosen(options, ["callerOf", "log"]);
    this.#client = client;
    this.#callerOf = options.callerOf ?? credentials();
    this.#log = options.log ?? writeLine;
  }

  /** Lets through who meets all that a request requires; at least one thing. */
  requires<R extends IncomingMessage>(
    requirements: (
      request: R,
    ) => OneOrMore<Requirement> | Promise<OneOrMore<Requirement>>,
  ): Handler<R> {
    return this.#handler(async (request, caller) => {
      const wanted = await requirements(request);
      const answer = await this.#client.authorize(caller, wanted);
      answer.require();
      return answer.context;
    });
  }

  /** Lets through who acts as some tenant: for lists, which a filter has to bound. */
  resolves<R extends IncomingMessage>(): Handler<R> {
    return this.#handler(
      async (_, caller) => (await this.#client.resolveContext(caller)).context,
    );
  }

  #handler<R extends IncomingMessage>(
    admit: (request: R, caller: Caller) => Promise<TenantContext | null>,
  ): Handler<R> {
    return (request, response, next) => {
      this.#decide(request, admit).then(
        (found) => {
          admitted.set(request, found);
          next();
        },
        (error: unknown) => {
          this.#refuse(error, request, response);
        },
      );
    };
  }

  async #decide<R extends IncomingMessage>(
    request: R,
    admit: (request: R, caller: Caller) => Promise<TenantContext | null>,
  ): Promise<Admitted> {
    if (FAILURE_MODE in request.headers)
      throw new InternalError(
        "Envoy let the request through without an answer",
      );
    const caller = await this.#callerOf(request);
    const context = await admit(request, caller);
    if (context === null) throw new InternalError("there is no tenant context");
    return { caller, context };
  }

  #refuse(
    error: unknown,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    admitted.delete(request);
    const status = statusOf(error);
    if (status === UNDECIDED) this.#log(error, request);
    answer(response, status, status === UNDECIDED ? {} : toldOf(error));
  }
}

const UNDECIDED = 503;
// Without a reason it is not the sidecar that speaks, such as a proxy on the way to it;
// with the other, the application's own connection is refused, whoever calls it.
const NOT_THE_CALLERS: ReadonlySet<string> = new Set(["", "PEER_NOT_ALLOWED"]);

function statusOf(error: unknown): number {
  if (error instanceof DeniedError) return error.httpStatus;
  if (error instanceof AuthzError && NOT_THE_CALLERS.has(error.reason))
    return UNDECIDED;
  if (error instanceof InvalidRequestError) return 400;
  if (error instanceof UnauthenticatedError) return 401;
  if (error instanceof PermissionDeniedError) return 403;
  if (error instanceof NotFoundError) return 404;
  return UNDECIDED;
}

function toldOf(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof AuthzError)) return {};
  const id = error instanceof DeniedError ? error.decisionId : "";
  return {
    detail: error.message,
    reason: error.reason,
    ...(id !== "" && { decision_id: id }),
  };
}

function answer(
  response: ServerResponse,
  status: number,
  told: Readonly<Record<string, string>>,
): void {
  const title = STATUS_CODES[status] ?? "";
  const problem = { type: "about:blank", title, status, ...told };
  response.statusCode = status;
  response.setHeader("content-type", "application/problem+json");
  response.setHeader("cache-control", "no-store");
  if (status === 401) response.setHeader("www-authenticate", "Bearer");
  response.end(JSON.stringify(problem));
}

function admittedOf(request: IncomingMessage): Admitted {
  const found = admitted.get(request);
  if (found !== undefined) return found;
  throw new InternalError("no guard has admitted this request");
}

function writeLine(error: unknown, request: IncomingMessage): void {
  const path = request.url?.split("?")[0] ?? "";
  const told =
    error instanceof AuthzError
      ? `${error.code} ${error.reason} ${error.message}`
      : String(error);
  console.error(`authz: undecided: ${request.method ?? ""} ${path}: ${told}`);
}

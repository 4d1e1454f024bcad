/**
 * What a client rejects with, and which status becomes what.
 *
 *     AuthzError
 *     ├── DeniedError                 decided: no (only `require()` throws it)
 *     ├── UndecidedError              could not decide: neither yes nor no
 *     │   ├── UnavailableError        no server, or no facts; was tried again
 *     │   ├── DeadlineError           no answer in time
 *     │   ├── OverloadedError         the server sheds load; not tried again
 *     │   ├── InternalError           a defect of the server, or of the way to it
 *     │   └── ProtocolError           an answer that no correct server gives
 *     ├── InvalidRequestError         the question is malformed
 *     │   └── UnknownRevisionError    the revision is of another history
 *     ├── UnauthenticatedError        nobody that is known
 *     ├── PermissionDeniedError       this caller, or this connection, may not
 *     ├── NotFoundError               the requested organization does not exist
 *     └── NotServedError              the listener does not serve this call
 *
 * None of them means allowed. Whatever is thrown, do not do what was asked about.
 */

import { status as Status } from "@grpc/grpc-js";

import { detailsOf } from "./details.js";

/** The kind of a denial. */
export type Denial = "INVALID" | "UNAUTHENTICATED" | "FORBIDDEN" | "NOT_FOUND";

const HTTP: Readonly<Record<Denial, number>> = {
  INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
};

/** The status for an HTTP response that tells a denial. */
export function httpStatusOf(denial: Denial): number {
  return HTTP[denial];
}

/** What an error can say besides its message. */
export interface ErrorParts {
  readonly reason?: string;
  readonly code?: string;
  readonly field?: string;
  readonly cause?: unknown;
}

/**
 * There is no answer that allows.
 *
 * `code` is the bare name of a gRPC status, such as `UNAVAILABLE`; `reason` the bare name
 * of a reason of the API, such as `FACTS_UNAVAILABLE`, empty when the error did not come
 * from the sidecar.
 */
export class AuthzError extends Error {
  readonly code: string;
  readonly reason: string;

  constructor(message: string, code: string, parts: ErrorParts = {}) {
    super(message, "cause" in parts ? { cause: parts.cause } : undefined);
    this.name = new.target.name;
    this.code = parts.code ?? code;
    this.reason = parts.reason ?? "";
  }
}

/** A decision that was required to allow denies. */
export class DeniedError extends AuthzError {
  readonly denial: Denial;
  readonly decisionId: string;

  constructor(
    denial: Denial,
    reason: string,
    message: string,
    decisionId: string,
  ) {
    super(message, "PERMISSION_DENIED", { reason });
    this.denial = denial;
    this.decisionId = decisionId;
  }

  /** The status for an HTTP response. */
  get httpStatus(): number {
    return httpStatusOf(this.denial);
  }
}

/** Nobody knows whether it is allowed. */
export class UndecidedError extends AuthzError {}

/** The sidecar, or its facts, cannot be reached. */
export class UnavailableError extends UndecidedError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "UNAVAILABLE", parts);
  }
}

/** There was no answer in time. */
export class DeadlineError extends UndecidedError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "DEADLINE_EXCEEDED", parts);
  }
}

/** Too much is asked at once. */
export class OverloadedError extends UndecidedError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "RESOURCE_EXHAUSTED", parts);
  }
}

/** The server failed, or ended the call with a status that it never uses. */
export class InternalError extends UndecidedError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "INTERNAL", parts);
  }
}

/** The answer contradicts itself or the question, or cannot be read. */
export class ProtocolError extends UndecidedError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "INTERNAL", parts);
  }
}

/** The question is malformed; `field` names the field, empty when not known. */
export class InvalidRequestError extends AuthzError {
  readonly field: string;

  constructor(message: string, parts: ErrorParts = {}) {
    super(message, "INVALID_ARGUMENT", parts);
    this.field = parts.field ?? "";
  }
}

/** The revision is none of this database's; ask again without. */
export class UnknownRevisionError extends InvalidRequestError {}

/** The credential or the user is not valid. */
export class UnauthenticatedError extends AuthzError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "UNAUTHENTICATED", parts);
  }
}

/** The context is forbidden, or this connection may not call here. */
export class PermissionDeniedError extends AuthzError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "PERMISSION_DENIED", parts);
  }
}

/** The requested organization does not exist. */
export class NotFoundError extends AuthzError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "NOT_FOUND", parts);
  }
}

/** The listener does not serve this call, or not for such a caller. */
export class NotServedError extends AuthzError {
  constructor(message: string, parts?: ErrorParts) {
    super(message, "UNIMPLEMENTED", parts);
  }
}

type ErrorKind = new (message: string, parts: ErrorParts) => AuthzError;

const BY_CODE: ReadonlyMap<number, ErrorKind> = new Map<number, ErrorKind>([
  [Status.INVALID_ARGUMENT, InvalidRequestError],
  [Status.UNAUTHENTICATED, UnauthenticatedError],
  [Status.PERMISSION_DENIED, PermissionDeniedError],
  [Status.NOT_FOUND, NotFoundError],
  [Status.UNIMPLEMENTED, NotServedError],
  [Status.UNAVAILABLE, UnavailableError],
  [Status.DEADLINE_EXCEEDED, DeadlineError],
  [Status.RESOURCE_EXHAUSTED, OverloadedError],
]);

/**
 * The error as which a status is told. A status that the API never uses becomes
 * InternalError; details that cannot be read are left out.
 */
export function errorOf(
  code: Status,
  message: string,
  trailer: Uint8Array | undefined,
): AuthzError {
  const { reason, field } = detailsOf(trailer);
  const name = (Status[code] as string | undefined) ?? "UNKNOWN";
  const isUnknown =
    code === Status.INVALID_ARGUMENT && reason === "UNKNOWN_REVISION";
  const kind = isUnknown
    ? UnknownRevisionError
    : (BY_CODE.get(code) ?? InternalError);
  return new kind(message, { code: name, reason, field });
}

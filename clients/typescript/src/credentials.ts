/** Who sends an HTTP request. */

import type { IncomingMessage } from "node:http";

import { Caller } from "./caller.js";
import { DeniedError } from "./errors.js";

/** Says who sends a request; throws DeniedError for nobody. */
export type CallerOf = (request: IncomingMessage) => Caller | Promise<Caller>;

const BEARER = /^bearer +([^ ]+)$/i;
const JWT = /^[^.]+\.[^.]+\.[^.]*$/;
const ORGANIZATION = "x-organization-id";

/** Whoever a credential shows: `Authorization: Bearer`, or `X-API-Key`. */
export function credentials(): CallerOf {
  return (request) => {
    const organization = one(request, ORGANIZATION);
    const authorization = one(request, "authorization");
    const apiKey = one(request, "x-api-key");
    if (authorization !== undefined && apiKey !== undefined)
      throw invalid("TWO_CREDENTIALS", "the request shows two credentials");
    if (apiKey !== undefined) return Caller.apiKey(apiKey, { organization });
    if (authorization === undefined)
      throw unknown("CREDENTIAL_MISSING", "the request shows no credential");
    const [, token] = BEARER.exec(authorization) ?? [];
    if (token === undefined)
      throw unknown("INVALID_CREDENTIAL", "the credential is not valid");
    return JWT.test(token)
      ? Caller.accessToken(token, { organization })
      : Caller.apiKey(token, { organization });
  };
}

/**
 * The user whose id is in a header, such as `x-authz-user-id`. Only where nobody but a
 * proxy of yours, which sets this header over what clients send, reaches the application.
 */
export function trustedHeader(name: string): CallerOf {
  return (request) => {
    const organization = one(request, ORGANIZATION);
    const userId = one(request, name.toLowerCase());
    if (userId === undefined || userId === "")
      throw unknown("CREDENTIAL_MISSING", "the request names no user");
    return Caller.user(userId, { organization });
  };
}

function one(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name] ?? [];
  const [value] = values;
  if (values.length > 1 || value?.includes(",") === true)
    throw invalid("REPEATED_HEADER", `\`${name}\` has two values`);
  return value;
}

function invalid(reason: string, message: string): DeniedError {
  return new DeniedError("INVALID", reason, message, "");
}

function unknown(reason: string, message: string): DeniedError {
  return new DeniedError("UNAUTHENTICATED", reason, message, "");
}

/** Who sends an HTTP request. */

import type { IncomingMessage } from "node:http";

import { Caller } from "./caller.js";
import { DeniedError } from "./errors.js";

/** Says who sends a request; throws DeniedError for nobody. */
export type CallerOf = (request: IncomingMessage) => Caller | Promise<Caller>;

const BEARER = /^bearer +([^ ]+)$/i;
const PARTS_OF_A_JWT = 3;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ORGANIZATION = "x-organization-id";

/** Whoever a credential shows: `Authorization: Bearer`, or `X-API-Key`. */
export function credentials(): CallerOf {
  return (request) => {
    const organization = organizationOf(request);
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
    return token.split(".").length === PARTS_OF_A_JWT
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
    const organization = organizationOf(request);
    const userId = one(request, name.toLowerCase());
    if (userId === undefined || userId === "")
      throw unknown("CREDENTIAL_MISSING", "the request names no user");
    return Caller.user(userId, { organization });
  };
}

function organizationOf(request: IncomingMessage): string | undefined {
  const value = one(request, ORGANIZATION);
  if (value === undefined) return undefined;
  try {
    // Node reads each byte of a header as a character.
    return UTF8.decode(Buffer.from(value, "latin1"));
  } catch {
    throw invalid("INVALID_ORGANIZATION_ID", "the organization is no text");
  }
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

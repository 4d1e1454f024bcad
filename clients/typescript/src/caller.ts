import { inspect } from "node:util";

import type { MessageInitShape } from "@bufbuild/protobuf";

import type { CallerSchema } from "./gen/authz/v1/caller_pb.js";
import { chosen, optional, text } from "./sending.js";

/** In which organization a caller wants to act. */
export interface InOrganization {
  /**
   * The raw value of `X-Organization-Id`; unset and empty both mean that no organization
   * is requested.
   */
  readonly organization?: string | undefined;
}

/** The same for callers that are named and believed. */
export interface Named extends InOrganization {
  /** The principal to which a key is pinned that you have checked yourself. */
  readonly pinnedTo?: string | undefined;
}

type Identity = NonNullable<MessageInitShape<typeof CallerSchema>["identity"]>;

/** Who a question is about. A caller that is printed shows no credential. */
export class Caller {
  readonly organization: string | undefined;
  readonly pinnedTo: string | undefined;
  readonly #identity: Identity;

  private constructor(identity: Identity, options: Named) {
    this.#identity = identity;
    this.organization = options.organization;
    this.pinnedTo = options.pinnedTo;
    Object.freeze(this);
  }

  /** A user by id. */
  static user(userId: string, options: Named = {}): Caller {
    const value = text(userId, "caller.user_id");
    return new Caller({ case: "userId", value }, named(options));
  }

  /** A user by their name at an identity provider. */
  static subject(issuer: string, subject: string, options: Named = {}): Caller {
    const value = {
      issuer: text(issuer, "caller.subject.issuer"),
      subject: text(subject, "caller.subject.subject"),
    };
    return new Caller({ case: "subject", value }, named(options));
  }

  /** Whoever owns an API key, which the sidecar checks. */
  static apiKey(apiKey: string, options: InOrganization = {}): Caller {
    const value = text(apiKey, "caller.api_key");
    return new Caller({ case: "apiKey", value }, presented(options));
  }

  /** Whoever a JWT names, which the sidecar checks. */
  static accessToken(token: string, options: InOrganization = {}): Caller {
    const value = text(token, "caller.access_token");
    return new Caller({ case: "accessToken", value }, presented(options));
  }

  /** The caller as it is sent. */
  message(): MessageInitShape<typeof CallerSchema> {
    return {
      identity: this.#identity,
      ...optional("organizationId", this.organization),
      ...optional("pinnedPrincipalId", this.pinnedTo),
    };
  }

  /** For `console.log`: which kind of caller it is, and no credential. */
  [inspect.custom](): string {
    return `Caller(${this.#identity.case ?? ""})`;
  }
}

function named(options: Named): Named {
  chosen(options, ["organization", "pinnedTo"]);
  if (options.organization !== undefined)
    text(options.organization, "caller.organization_id");
  if (options.pinnedTo !== undefined)
    text(options.pinnedTo, "caller.pinned_principal_id");
  return options;
}

function presented(options: InOrganization): Named {
  chosen(options, ["organization"]);
  return named(options);
}

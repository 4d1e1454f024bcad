/** The client. */

import { setTimeout as sleep } from "node:timers/promises";

import {
  type Client as GrpcClient,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";

import type * as answers from "./answers.js";
import { Attempts, Budget, type Retry, retryOf } from "./attempts.js";
import * as calls from "./calls.js";
import type { Caller } from "./caller.js";
import { openChannel, type Tls } from "./channels.js";
import { TRAILER } from "./details.js";
import { AuthzError, errorOf, InternalError, ProtocolError } from "./errors.js";
import type { ListFilter } from "./filters.js";
import type * as questions from "./questions.js";
import { chosen } from "./sending.js";
import type { ServerInfo, WatchEvent } from "./server.js";

const SERVICE = "/authz.v1.AuthorizationService";
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** How a client connects and waits. */
export interface ClientOptions {
  /** Without, the connection is in the clear. */
  readonly tls?: Tls | undefined;
  /** Milliseconds for each call, repetitions included; 1000. */
  readonly timeoutMs?: number | undefined;
  /** When a call is made again; what is not said is as by default. */
  readonly retry?: Partial<Retry> | undefined;
}

/**
 * Asks a sidecar. Every method rejects with an AuthzError when there is no answer, within
 * its deadline.
 *
 * No answer is a condition: write `(await client.checkVisible(…)).allAllowed`, or
 * `(await client.checkVisible(…)).require()`.
 */
export class Client {
  readonly #channel: GrpcClient;
  readonly #timeoutMs: number;
  readonly #budget: Budget;
  readonly #running = new Set<{ cancel(): void }>();
  #isClosed = false;

  private constructor(channel: GrpcClient, timeoutMs: number, retry: Retry) {
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    this.#budget = new Budget(retry);
  }

  /**
   * A client; the connection is made with the first question. The target is
   * `unix:/run/authz/authz.sock`, or `host:port`.
   */
  static connect(target: string, options: ClientOptions = {}): Client {
    chosen(options, ["tls", "timeoutMs", "retry"]);
    const timeoutMs = milliseconds(options.timeoutMs ?? 1000);
    const retry = retryOf(options.retry);
    return new Client(openChannel(target, options.tls), timeoutMs, retry);
  }

  /** Ends the connection; calls that still run are rejected. */
  close(): void {
    this.#isClosed = true;
    // The library would let calls that have begun go on until their deadlines.
    for (const call of this.#running) call.cancel();
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** As which tenant the caller acts; rejects where as none. */
  resolveContext(
    caller: Caller,
    options?: calls.Fresh,
  ): Promise<answers.ResolvedContext> {
    return this.#ask(() => calls.resolveContext(caller, options));
  }

  /** The tenants as which the caller may act. */
  listContexts(
    caller: Caller,
    options?: calls.Fresh,
  ): Promise<answers.AvailableContexts> {
    return this.#ask(() => calls.listContexts(caller, options));
  }

  /** Whether the caller may see each resource; 1 to 1,000 in one call. */
  checkVisible(
    caller: Caller,
    resources: calls.OneOrMore<questions.Resource>,
    options?: calls.Explained,
  ): Promise<answers.Decisions> {
    return this.#ask(() => calls.checkVisible(caller, resources, options));
  }

  /** Whether the caller may change each resource; 1 to 1,000 in one call. */
  checkWritable(
    caller: Caller,
    resources: calls.OneOrMore<questions.Resource>,
    options?: calls.Writing,
  ): Promise<answers.Decisions> {
    return this.#ask(() => calls.checkWritable(caller, resources, options));
  }

  /** Whether the caller may create each resource; 1 to 1,000 in one call. */
  checkCreatable(
    caller: Caller,
    resources: calls.OneOrMore<questions.NewResource>,
    options?: calls.Explained,
  ): Promise<answers.Decisions> {
    return this.#ask(() => calls.checkCreatable(caller, resources, options));
  }

  /** Whether the caller passes a gate. */
  checkRole(
    caller: Caller,
    gate: questions.RoleGate,
    options?: calls.Explained,
  ): Promise<answers.CheckedRole> {
    return this.#ask(() => calls.checkRole(caller, gate, options));
  }

  /** What the caller's roles allow for each query; 1 to 1,000 in one call. */
  getPermissions(
    caller: Caller,
    queries: calls.OneOrMore<questions.PermissionQuery>,
    options?: calls.Explained,
  ): Promise<answers.PermissionsList> {
    return this.#ask(() => calls.getPermissions(caller, queries, options));
  }

  /** Whether all requirements hold; 1 to 32. */
  authorize(
    caller: Caller,
    requirements: calls.OneOrMore<questions.Requirement>,
    options?: calls.Explained,
  ): Promise<answers.Authorization> {
    return this.#ask(() => calls.authorize(caller, requirements, options));
  }

  /** Which rows of a kind the caller may list, as a tree and when asked as SQL. */
  getListFilter(
    caller: Caller,
    kind: string,
    options?: calls.Listing,
  ): Promise<ListFilter> {
    return this.#ask(() => calls.getListFilter(caller, kind, options));
  }

  /** What is wrong with rules before they are stored; 1 to 1,000 in one call. */
  validateAccessRules(
    rules: calls.OneOrMore<questions.AccessRule>,
    options?: calls.Timed,
  ): Promise<answers.RuleProblems> {
    return this.#ask(() => calls.validateAccessRules(rules, options));
  }

  /** What the server is, and what it serves on this listener. */
  serverInfo(options?: calls.Timed): Promise<ServerInfo> {
    return this.#ask(() => calls.getServerInfo(options));
  }

  /**
   * What changes from now on, or after a revision, as one stream without a deadline. It
   * ends when the server ends it, or when the loop over it is left; a status is thrown.
   */
  async *watch(afterRevision?: string): AsyncGenerator<WatchEvent, void, void> {
    const call = calls.watch(afterRevision);
    const stream = this.#stream(call);
    // Leaving the loop cancels the call, which is told as an error to nobody.
    stream.on("error", () => undefined);
    try {
      for await (const data of stream) yield readBy(call, data as Buffer);
    } catch (error) {
      throw this.#isClosed ? closed() : told(error);
    } finally {
      this.#running.delete(stream);
      stream.cancel();
    }
  }

  async #ask<A>(build: () => calls.Call<A>): Promise<A> {
    const call = build();
    const timeoutMs = milliseconds(call.timeoutMs ?? this.#timeoutMs);
    const clock = () => performance.now();
    const attempts = new Attempts(this.#budget, timeoutMs, clock);
    for (;;) {
      try {
        const data = await this.#send(call, attempts.remaining());
        const answer = readBy(call, data);
        attempts.succeed();
        return answer;
      } catch (error) {
        await sleep(attempts.waitAfter(error));
      }
    }
  }

  #send(call: calls.Call<unknown>, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#refuseWhenClosed();
      const deadline = new Date(Date.now() + timeoutMs);
      const running = this.#channel.makeUnaryRequest<Uint8Array, Buffer>(
        `${SERVICE}/${call.method}`,
        asBuffer,
        asItIs,
        call.request,
        new Metadata(),
        { deadline },
        (error, data) => {
          this.#running.delete(running);
          if (this.#isClosed) reject(closed());
          else if (error !== null) reject(told(error));
          else if (data === undefined) reject(withoutAnswer());
          else resolve(data);
        },
      );
      this.#running.add(running);
    });
  }

  #stream(call: calls.Call<unknown>): ClientReadableStream<Buffer> {
    this.#refuseWhenClosed();
    const stream = this.#channel.makeServerStreamRequest<Uint8Array, Buffer>(
      `${SERVICE}/${call.method}`,
      asBuffer,
      asItIs,
      call.request,
    );
    this.#running.add(stream);
    return stream;
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw closed();
  }
}

function readBy<A>(call: calls.Call<A>, data: Buffer): A {
  try {
    return call.read(data);
  } catch (cause) {
    if (cause instanceof AuthzError) throw cause;
    throw new ProtocolError("the answer cannot be read", { cause });
  }
}

function told(error: unknown): AuthzError {
  if (error instanceof AuthzError) return error;
  if (!isServiceError(error))
    return new InternalError("the call ended without a status", {
      cause: error,
    });
  const trailer = error.metadata.get(TRAILER)[0];
  const details = trailer instanceof Uint8Array ? trailer : undefined;
  return errorOf(error.code, error.details, details);
}

function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "number" &&
    "metadata" in error &&
    error.metadata instanceof Metadata
  );
}

function closed(): InternalError {
  return new InternalError("the client is closed");
}

function withoutAnswer(): InternalError {
  return new InternalError("the call ended without an answer");
}

function milliseconds(timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS) return timeoutMs;
  throw new TypeError("`timeoutMs` is a number above 0 and below 2 ** 31");
}

function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message);
}

function asItIs(data: Buffer): Buffer {
  return data;
}

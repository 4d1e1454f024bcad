/** The guard for Express: nothing passes without an answer that allows. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";

import { type Metadata, status as Status } from "@grpc/grpc-js";
import express from "express";

import {
  callerOf,
  contextOf,
  Guard,
  type GuardOptions,
  trustedHeader,
} from "../src/express.js";
import { Client, InternalError, type Requirement } from "../src/index.js";
import {
  type Addresses,
  liar,
  scripted,
  type Served,
  sidecar,
  withReason,
} from "./support.js";

type Headers = Readonly<Record<string, string | string[]>>;

interface Site {
  get(path: string, headers?: Headers): Promise<Got>;
  readonly served: () => number;
  readonly logged: readonly unknown[];
  stop(): void;
}

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const AS_ANN = { "x-user": "2", "x-organization-id": "20" };
const PROBLEM = "application/problem+json";

async function site(client: Client, options: GuardOptions = {}): Promise<Site> {
  const logged: unknown[] = [];
  let count = 0;
  const log = (error: unknown) => void logged.push(error);
  const guard = new Guard(client, { log, ...options });
  const app = express();
  const cluster = guard.requires<express.Request<{ id: string }>>(
    ({ params }) => ({ visible: { kind: "cluster", id: params.id } }),
  );
  const nothing = guard.requires(() => []);
  const faulty = guard.requires(() => undefined as unknown as Requirement);
  const end = (request: express.Request, response: express.Response) => {
    count += 1;
    const { organization = null } = callerOf(request);
    response.json({ userId: contextOf(request).userId, organization });
  };
  app.get(
    "/clusters/:id",
    cluster,
    end as express.RequestHandler<{ id: string }>,
  );
  app.get("/clusters", guard.resolves(), end);
  app.get("/nothing", nothing, end);
  app.get("/faulty", faulty, end);
  app.get("/forgotten", end);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    get: (path, headers = {}) => get(port, path, headers),
    served: () => count,
    logged,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function get(port: number, path: string, headers: Headers): Promise<Got> {
  const asked = send({ port, host: "127.0.0.1", path, headers });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const isJson = response.headers["content-type"]?.includes("json") === true;
  const body = (isJson ? JSON.parse(text) : {}) as Got["body"];
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

describe("in front of a sidecar", () => {
  let server: Served<Addresses>;
  let client: Client;
  let trusting: Site;
  let strict: Site;

  before(async () => {
    server = await sidecar();
    client = Client.connect(server.told.unix, { timeoutMs: 10_000 });
    trusting = await site(client, { callerOf: trustedHeader("X-User") });
    strict = await site(client);
  });
  after(async () => {
    trusting.stop();
    strict.stop();
    client.close();
    await server.stop();
  });

  test("who may passes, and the handler knows as whom", async () => {
    const got = await trusting.get("/clusters/501", AS_ANN);

    assert.equal(got.status, 200);
    assert.deepEqual(got.body, { userId: "2", organization: "20" });
  });

  test("what is missing or foreign is 404, and says why", async () => {
    const passed = trusting.served();
    const got = await trusting.get("/clusters/999", AS_ANN);

    assert.equal(got.status, 404);
    assert.equal(got.headers["content-type"], PROBLEM);
    assert.equal(got.body["reason"], "RESOURCE_NOT_FOUND");
    assert.match(String(got.body["decision_id"]), /-/);
    assert.equal(trusting.served(), passed);
  });

  test("a stranger is 403, a malformed organization 400, nobody 401", async () => {
    const asks: readonly (readonly [number, string, Headers])[] = [
      [403, "NOT_A_MEMBER", { "x-user": "5", "x-organization-id": "20" }],
      [
        400,
        "INVALID_ORGANIZATION_ID",
        { "x-user": "2", "x-organization-id": "x" },
      ],
      [401, "INVALID_CREDENTIAL", { "x-user": "999" }],
      [401, "CREDENTIAL_MISSING", {}],
      [401, "CREDENTIAL_MISSING", { "x-user": "" }],
      [400, "REPEATED_HEADER", { "x-user": ["2", "1"] }],
      [400, "REPEATED_HEADER", { "x-user": "2,1" }],
      [
        400,
        "REPEATED_HEADER",
        { ...AS_ANN, "x-organization-id": ["20", "21"] },
      ],
      [400, "MALFORMED_FIELD", { "x-user": "2".repeat(300) }],
    ];
    for (const [status, reason, headers] of asks)
      for (const path of ["/clusters/501", "/clusters"]) {
        const got = await trusting.get(path, headers);
        assert.deepEqual([got.status, got.body["reason"]], [status, reason]);
        assert.equal(
          got.headers["www-authenticate"],
          status === 401 ? "Bearer" : undefined,
        );
      }
  });

  test("a list passes for whoever acts as a tenant", async () => {
    const got = await trusting.get("/clusters", AS_ANN);

    assert.equal(got.status, 200);
  });

  test("to require nothing lets nobody through", async () => {
    const passed = trusting.served();

    assert.equal((await trusting.get("/nothing", AS_ANN)).status, 400);
    assert.equal((await trusting.get("/faulty", AS_ANN)).status, 503);
    assert.equal(trusting.served(), passed);
  });

  test("a handler whose guard was forgotten learns of no caller", async () => {
    const got = await trusting.get("/forgotten", AS_ANN);

    assert.equal(got.status, 500);
  });

  test("no header that only names is believed without being told to", async () => {
    const headers = { ...AS_ANN, "x-authz-user-id": "2", "x-user-id": "2" };
    const got = await strict.get("/clusters/501", headers);

    assert.equal(got.status, 401);
  });

  test("credentials are one, whole, and checked", async () => {
    const asks: readonly (readonly [number, string, Headers])[] = [
      [401, "CREDENTIAL_MISSING", {}],
      [401, "INVALID_CREDENTIAL", { "x-api-key": "gpk_none_such" }],
      [401, "INVALID_CREDENTIAL", { authorization: "Bearer gpk_none_such" }],
      [401, "INVALID_CREDENTIAL", { authorization: "Bearer a.b.c" }],
      [401, "INVALID_CREDENTIAL", { authorization: "Basic YTpi" }],
      [401, "INVALID_CREDENTIAL", { authorization: "Bearer" }],
      [400, "TWO_CREDENTIALS", { authorization: "Bearer a", "x-api-key": "a" }],
      [400, "REPEATED_HEADER", { "x-api-key": ["a", "b"] }],
      [400, "REPEATED_HEADER", { "x-api-key": "a, b" }],
      [400, "REPEATED_HEADER", { authorization: "Bearer a, Bearer b" }],
      [400, "MALFORMED_FIELD", { "x-api-key": "" }],
      [
        400,
        "INVALID_ORGANIZATION_ID",
        { "x-api-key": "a", "x-organization-id": "\xff" },
      ],
    ];
    for (const [status, reason, headers] of asks) {
      const got = await strict.get("/clusters/501", headers);
      assert.deepEqual([got.status, got.body["reason"]], [status, reason]);
    }
    assert.equal(strict.served(), 0);
  });
});

describe("without an answer", () => {
  test("nothing passes: 503, an empty decision, and a line in the log", async () => {
    for (const mode of ["stuck", "closing", "allowed-with-denial"]) {
      const server = await liar(mode);
      using client = Client.connect(server.told.address, { timeoutMs: 300 });
      const trusting = await site(client, {
        callerOf: trustedHeader("x-user"),
      });
      for (const path of ["/clusters/501", "/clusters"]) {
        const got = await trusting.get(path, AS_ANN);
        assert.equal(got.status, 503);
        const problem = { title: "Service Unavailable", status: 503 };
        assert.deepEqual(got.body, { type: "about:blank", ...problem });
      }
      assert.equal(trusting.served(), 0);
      assert.equal(trusting.logged.length, 2);
      trusting.stop();
      await server.stop();
    }
  });

  test("a status is the caller's only with a reason of the sidecar", async (t) => {
    const codes: readonly (readonly [Status, number])[] = [
      [Status.INVALID_ARGUMENT, 400],
      [Status.UNAUTHENTICATED, 401],
      [Status.PERMISSION_DENIED, 403],
      [Status.NOT_FOUND, 404],
    ];
    const ours = withReason("MALFORMED_FIELD", "authz.v1");
    const anothers = withReason("MALFORMED_FIELD", "a.proxy");
    let ends: { code: Status; metadata?: Metadata } = { code: Status.OK };
    const server = await scripted((_, callback) => {
      callback({ ...ends, details: "told" });
    });
    const client = Client.connect(server.address, { timeoutMs: 5000 });
    const trusting = await site(client, { callerOf: trustedHeader("x-user") });
    t.after(() => {
      trusting.stop();
      client.close();
      server.stop();
    });
    for (const [code, status] of codes)
      for (const path of ["/clusters/501", "/clusters"]) {
        const statuses: number[] = [];
        for (const metadata of [ours, anothers, undefined]) {
          ends = metadata === undefined ? { code } : { code, metadata };
          statuses.push((await trusting.get(path, AS_ANN)).status);
        }

        assert.deepEqual(statuses, [status, 503, 503]);
      }
    assert.equal(trusting.served(), 0);
    assert.equal(trusting.logged.length, 16);
  });

  test("what Envoy let through because nobody answered is refused", async () => {
    const server = await liar("honest");
    using client = Client.connect(server.told.address, { timeoutMs: 5000 });
    const trusting = await site(client, { callerOf: trustedHeader("x-user") });
    assert.equal((await trusting.get("/clusters/501", AS_ANN)).status, 200);
    for (const value of ["true", "false", ""]) {
      const headers = { ...AS_ANN, "X-Envoy-Auth-Failure-Mode-Allowed": value };
      for (const path of ["/clusters/501", "/clusters"]) {
        const got = await trusting.get(path, headers);
        assert.equal(got.status, 503);
        assert.equal("reason" in got.body, false);
      }
    }
    assert.equal(trusting.served(), 1);
    assert.equal(trusting.logged.length, 6);
    trusting.stop();
    await server.stop();
  });

  test("whoever finds the caller may fail, and nobody passes", async () => {
    const server = await liar("honest");
    using client = Client.connect(server.told.address, { timeoutMs: 5000 });
    const failing = await site(client, {
      callerOf: () => {
        throw new Error("a defect");
      },
    });

    assert.equal((await failing.get("/clusters/501", AS_ANN)).status, 503);
    assert.equal(failing.served(), 0);
    failing.stop();
    await server.stop();
  });

  test("a request that no guard has seen has no context", () => {
    const unseen: unknown = {};

    assert.throws(() => contextOf(unseen as IncomingMessage), InternalError);
  });
});

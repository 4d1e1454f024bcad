/** Servers that lie or say nothing: a typed error, in time, and never an answer. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import {
  type Answer,
  Client,
  ProtocolError,
  UnavailableError,
  UndecidedError,
} from "../src/index.js";
import { ANN, liar, OWN } from "./support.js";

type Ask = (client: Client, timeoutMs: number) => Promise<Answer>;

const CHECKS: Readonly<Record<string, Ask>> = {
  checkVisible: (at, timeoutMs) => at.checkVisible(ANN, OWN, { timeoutMs }),
  checkWritable: (at, timeoutMs) => at.checkWritable(ANN, OWN, { timeoutMs }),
  checkCreatable: (at, timeoutMs) =>
    at.checkCreatable(ANN, { kind: "model", owner: null }, { timeoutMs }),
  checkRole: (at, timeoutMs) =>
    at.checkRole(ANN, { platformAdmin: true }, { timeoutMs }),
  authorize: (at, timeoutMs) =>
    at.authorize(ANN, [{ visible: OWN }, { visible: OWN }], { timeoutMs }),
};
const OTHERS: Readonly<Record<string, Ask>> = {
  resolveContext: (at, timeoutMs) => at.resolveContext(ANN, { timeoutMs }),
  getPermissions: (at, timeoutMs) =>
    at.getPermissions(ANN, { context: "DATA" }, { timeoutMs }),
  getListFilter: (at, timeoutMs) =>
    at.getListFilter(ANN, "cluster", { timeoutMs }),
};
// Of these, an empty answer is a good one.
const LENIENT: Readonly<Record<string, Ask>> = {
  listContexts: (at, timeoutMs) => at.listContexts(ANN, { timeoutMs }),
  validateAccessRules: (at, timeoutMs) =>
    at.validateAccessRules({ roleId: "1", context: "UI" }, { timeoutMs }),
  serverInfo: (at, timeoutMs) => at.serverInfo({ timeoutMs }),
};

const SILENT = ["silent", "stuck", "slow", "garbage", "closing"];
const LYING = [
  "wrong-count",
  "too-few",
  "allowed-with-denial",
  "unspecified",
  "unknown-reason",
  "denying-reason",
  "neither",
  "empty",
  "verdict",
];
const TIMEOUT_MS = 400;

for (const mode of SILENT)
  for (const way of ["tcp", "unix"])
    test(`${mode} by ${way}: every call fails in time`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "authz-"));
      const at = way === "tcp" ? "127.0.0.1:0" : `unix:${folder}/liar.sock`;
      const server = await liar(mode, at);
      try {
        using client = Client.connect(server.told.address);
        const all = { ...CHECKS, ...OTHERS, ...LENIENT };
        for (const [name, ask] of Object.entries(all)) {
          const began = performance.now();
          await assert.rejects(ask(client, TIMEOUT_MS), UndecidedError, name);
          assert.ok(performance.now() - began < TIMEOUT_MS + 1000, name);
        }
      } finally {
        await server.stop();
        rmSync(folder, { recursive: true });
      }
    });

for (const mode of LYING)
  test(`${mode}: no call takes it for an answer`, async () => {
    const server = await liar(mode);
    try {
      using client = Client.connect(server.told.address);
      for (const [name, ask] of Object.entries({ ...CHECKS, ...OTHERS }))
        await assert.rejects(ask(client, 5000), ProtocolError, name);
    } finally {
      await server.stop();
    }
  });

test("bytes that are no message are a protocol error of every call", async () => {
  const server = await liar("no-message");
  try {
    using client = Client.connect(server.told.address);
    const all = { ...CHECKS, ...OTHERS, ...LENIENT };
    for (const [name, ask] of Object.entries(all))
      await assert.rejects(ask(client, 5000), ProtocolError, name);
  } finally {
    await server.stop();
  }
});

test("an answer without a fault is believed, so that these tests can fail", async () => {
  const server = await liar("honest");
  try {
    using client = Client.connect(server.told.address);
    for (const ask of Object.values({ ...CHECKS, ...OTHERS }))
      await ask(client, 5000);
    (await client.checkVisible(ANN, OWN, { timeoutMs: 5000 })).require();
  } finally {
    await server.stop();
  }
});

describe("where nobody listens", () => {
  test("a port that is closed is unavailable, in time", async () => {
    using client = Client.connect("127.0.0.1:1");
    const began = performance.now();

    await assert.rejects(client.checkVisible(ANN, OWN), UnavailableError);

    assert.ok(performance.now() - began < 1500);
  });

  test("a socket file that is not there is unavailable", async () => {
    using client = Client.connect("unix:/nowhere/authz.sock");

    await assert.rejects(client.checkVisible(ANN, OWN), UnavailableError);
  });

  test("a server that comes back is found again", async () => {
    const first = await liar("honest");
    const { address } = first.told;
    using client = Client.connect(address, { timeoutMs: 5000 });
    await client.checkVisible(ANN, OWN);
    await first.stop();
    await assert.rejects(client.checkVisible(ANN, OWN), UnavailableError);
    const second = await liar("honest", address);
    try {
      await until(async () => {
        (await client.checkVisible(ANN, OWN)).require();
      });
    } finally {
      await second.stop();
    }
  });
});

async function until(attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

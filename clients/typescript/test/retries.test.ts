/** What is tried again, how often, and which error comes of a status. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";
import { status as Status } from "@grpc/grpc-js";

import { Attempts, Budget, retryOf } from "../src/attempts.js";
import {
  BadRequestSchema,
  ErrorDetailsSchema,
  ErrorInfoSchema,
} from "../src/gen/authz_client/details_pb.js";
import * as errors from "../src/index.js";
import { Client } from "../src/index.js";
import { ANN, OWN, scripted, withDetails } from "./support.js";

const AWAY = new errors.UnavailableError("away");

function attempts(budget: Budget, timeoutMs = 1000, clock = () => 0): Attempts {
  return new Attempts(budget, timeoutMs, clock);
}

describe("attempts", () => {
  test("wait longer each time, never the same, never past the longest", () => {
    const budget = new Budget(
      retryOf({ firstWaitMs: 100, longestWaitMs: 300 }),
    );

    for (const [number, most] of [100, 200, 300, 300].entries()) {
      const wait = budget.wait(number + 1);
      assert.ok(wait >= most / 2 && wait <= most, String(wait));
    }
    assert.notEqual(budget.wait(1), budget.wait(1));
  });

  test("end after four", () => {
    const call = attempts(new Budget(retryOf()));

    for (let number = 1; number < 4; number += 1) call.waitAfter(AWAY);
    assert.throws(() => call.waitAfter(AWAY), errors.UnavailableError);
  });

  test("are made for nothing but UNAVAILABLE", () => {
    const others = [
      new errors.DeadlineError(""),
      new errors.OverloadedError(""),
      new errors.InternalError(""),
      new errors.ProtocolError(""),
      new errors.NotFoundError(""),
      new TypeError(""),
    ];
    for (const error of others)
      assert.throws(
        () => attempts(new Budget(retryOf())).waitAfter(error),
        error,
      );
  });

  test("do not wait past the deadline", () => {
    const call = attempts(new Budget(retryOf({ firstWaitMs: 50 })), 20);

    assert.throws(() => call.waitAfter(AWAY), errors.UnavailableError);
  });

  test("have no time after the deadline", () => {
    let now = 0;
    const call = attempts(new Budget(retryOf()), 10, () => now);
    assert.equal(call.remaining(), 10);
    now = 10;

    assert.throws(() => call.remaining(), errors.DeadlineError);
  });

  test("share a budget, which calls that succeed fill again", () => {
    const budget = new Budget(retryOf({ budget: 2, earned: 0.5 }));
    attempts(budget).waitAfter(AWAY);
    attempts(budget).waitAfter(AWAY);
    assert.throws(
      () => attempts(budget).waitAfter(AWAY),
      errors.UnavailableError,
    );
    attempts(budget).succeed();
    assert.throws(
      () => attempts(budget).waitAfter(AWAY),
      errors.UnavailableError,
    );
    attempts(budget).succeed();

    attempts(budget).waitAfter(AWAY);
  });

  test("a setting that is misspelt or no number is an error", () => {
    assert.throws(() => retryOf({ atempts: 1 } as object), TypeError);
    assert.throws(() => retryOf({ attempts: NaN }), TypeError);
  });
});

describe("a server that fails", () => {
  test("is asked again, and its answer taken", async () => {
    let calls = 0;
    const server = await scripted((_, callback) => {
      calls += 1;
      if (calls < 3) callback({ code: Status.UNAVAILABLE });
      else callback(null, Buffer.alloc(0));
    });
    using client = Client.connect(server.address, { timeoutMs: 5000 });

    await client.serverInfo();

    assert.equal(calls, 3);
    server.stop();
  });

  const kinds: readonly (readonly [number, new (message: string) => Error])[] =
    [
      [Status.INVALID_ARGUMENT, errors.InvalidRequestError],
      [Status.UNAUTHENTICATED, errors.UnauthenticatedError],
      [Status.PERMISSION_DENIED, errors.PermissionDeniedError],
      [Status.NOT_FOUND, errors.NotFoundError],
      [Status.UNIMPLEMENTED, errors.NotServedError],
      [Status.DEADLINE_EXCEEDED, errors.DeadlineError],
      [Status.RESOURCE_EXHAUSTED, errors.OverloadedError],
      [Status.INTERNAL, errors.InternalError],
      [Status.UNKNOWN, errors.InternalError],
      [Status.ABORTED, errors.InternalError],
      [Status.CANCELLED, errors.InternalError],
      [77, errors.InternalError],
    ];
  for (const [code, kind] of kinds)
    test(`with the status ${String(code)} is asked once`, async () => {
      let calls = 0;
      const server = await scripted((_, callback) => {
        calls += 1;
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- one is none
        callback({ code, details: "told" });
      });
      using client = Client.connect(server.address, { timeoutMs: 5000 });

      await assert.rejects(client.checkVisible(ANN, OWN), {
        constructor: kind,
      });

      assert.equal(calls, 1);
      server.stop();
    });

  const packed = (domain: string) =>
    toBinary(
      ErrorDetailsSchema,
      create(ErrorDetailsSchema, {
        details: [
          {
            typeUrl: "type.googleapis.com/google.rpc.ErrorInfo",
            value: toBinary(
              ErrorInfoSchema,
              create(ErrorInfoSchema, { reason: "MALFORMED_FIELD", domain }),
            ),
          },
          {
            typeUrl: "type.googleapis.com/google.rpc.BadRequest",
            value: toBinary(
              BadRequestSchema,
              create(BadRequestSchema, {
                fieldViolations: [{ field: "kind" }],
              }),
            ),
          },
        ],
      }),
    );
  const told: readonly (readonly [string, Uint8Array, string, string])[] = [
    ["its own reason", packed("authz.v1"), "MALFORMED_FIELD", "kind"],
    ["the reason of somebody else", packed("other"), "", "kind"],
    ["details that are none", Buffer.from([255, 255, 255]), "", ""],
  ];
  for (const [what, details, reason, field] of told)
    test(`tells ${what}`, async () => {
      const server = await scripted((_, callback) => {
        const metadata = withDetails(details);
        callback({ code: Status.INVALID_ARGUMENT, details: "no", metadata });
      });
      using client = Client.connect(server.address, { timeoutMs: 5000 });

      await assert.rejects(client.checkVisible(ANN, OWN), {
        constructor: errors.InvalidRequestError,
        code: "INVALID_ARGUMENT",
        reason,
        field,
      });
      server.stop();
    });
});

describe("a client that is closed", () => {
  test("answers nothing, and ends what it was asked", async () => {
    const server = await scripted(() => undefined);
    const client = Client.connect(server.address, { timeoutMs: 300 });
    const asked = client.checkVisible(ANN, OWN);
    client.close();

    await assert.rejects(asked, errors.UndecidedError);
    await assert.rejects(client.checkVisible(ANN, OWN), errors.InternalError);
    await assert.rejects(client.watch().next(), errors.InternalError);
    server.stop();
  });

  test("leaves nobody waiting who was asking", async () => {
    const server = await scripted(() => {
      client.close();
    });
    const client = Client.connect(server.address, { timeoutMs: 60_000 });

    try {
      await assert.rejects(client.checkVisible(ANN, OWN), errors.InternalError);
    } finally {
      server.stop();
    }
  });

  test("leaves nobody waiting for changes", async () => {
    const server = await scripted(() => undefined);
    const client = Client.connect(server.address);
    const waiting = client.watch().next();
    client.close();

    await assert.rejects(waiting, errors.InternalError);
    server.stop();
  });
});

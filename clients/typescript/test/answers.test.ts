/** Answers: none of them reads as allowed by accident. */

/* eslint eqeqeq: "off" -- it is what is tried here */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";

import {
  AccessLevel,
  Caller,
  Client,
  Decision,
  Decisions,
  DeniedError,
  InvalidRequestError,
} from "../src/index.js";
import { ANN, OWN } from "./support.js";

const PARTS = { message: "", decisionId: "1.0", explanation: null };
const YES = new Decision({
  ...PARTS,
  allowed: true,
  denial: null,
  reason: "OWNED",
});
const NO = new Decision({
  ...PARTS,
  allowed: false,
  denial: "NOT_FOUND",
  reason: "RESOURCE_NOT_FOUND",
});

describe("an answer", () => {
  const answer: unknown = new Decisions([YES], "1", null);

  test("cannot be compared, calculated with or written into a text", () => {
    assert.throws(() => answer == true, TypeError);
    assert.throws(() => Number(answer), TypeError);
    assert.throws(() => String(answer), TypeError);
    assert.throws(() => (answer as number) >= 1, TypeError);
  });

  test("cannot be changed", () => {
    assert.throws(() => {
      (NO as { allowed: boolean }).allowed = true;
    }, TypeError);
    assert.throws(() => {
      Object.defineProperty(answer, "allAllowed", { value: true });
    }, TypeError);
  });
});

describe("decisions", () => {
  test("are allowed together only when each one is", () => {
    assert.equal(new Decisions([YES, YES], "1", null).allAllowed, true);
    assert.equal(new Decisions([YES, NO], "1", null).allAllowed, false);
  });

  test("none at all are not allowed", () => {
    const none = new Decisions([], "1", null);

    assert.equal(none.allAllowed, false);
    assert.throws(() => {
      none.require();
    }, DeniedError);
  });

  test("require tells the first denial", () => {
    assert.throws(
      () => {
        new Decisions([YES, NO], "1", null).require();
      },
      { constructor: DeniedError, denial: "NOT_FOUND", httpStatus: 404 },
    );
  });

  test("one that was not asked for is an error, not undefined", () => {
    assert.throws(() => new Decisions([YES], "1", null).at(1), RangeError);
  });

  test("one that allows and denies is denied", () => {
    const both = new Decision({
      ...PARTS,
      allowed: true,
      denial: "FORBIDDEN",
      reason: "",
    });

    assert.throws(() => {
      both.require();
    }, DeniedError);
    assert.equal(both.httpStatus, 403);
  });
});

describe("levels", () => {
  const { NONE, MY, GROUP, ALL } = AccessLevel;

  test("rise from nothing to all, by comparison and by `atLeast`", () => {
    const rising = [NONE, MY, GROUP, ALL];

    for (const [rank, level] of rising.entries())
      for (const [other, than] of rising.entries()) {
        assert.equal(level >= than, rank >= other);
        assert.equal(level.atLeast(than), rank >= other);
      }
  });

  test("are neither equal to a text nor to a boolean", () => {
    const level: unknown = AccessLevel.ALL;

    assert.throws(() => level == "ALL", TypeError);
    assert.throws(() => level == true, TypeError);
    assert.equal((level as string) >= "GROUP", false);
  });
});

describe("questions", () => {
  const client = Client.connect("unix:/nowhere");
  const ask = (resource: object) =>
    client.checkVisible(ANN, resource as typeof OWN);
  const malformed = {
    constructor: InvalidRequestError,
    reason: "MALFORMED_FIELD",
  };

  test("a caller shows no credential when it is printed", () => {
    const caller = Caller.apiKey("gpk_secret");

    assert.doesNotMatch(inspect(caller) + JSON.stringify(caller), /secret/);
  });

  test("an option that is misspelt is an error, in every place", async () => {
    const misspelt = { fullyConsistant: true };
    await assert.rejects(
      client.checkVisible(ANN, OWN, misspelt as object),
      TypeError,
    );
    await assert.rejects(ask({ ...OWN, attribute: {} }), TypeError);
    assert.throws(
      () => Client.connect("unix:x", { tsl: {} } as object),
      TypeError,
    );
    assert.throws(
      () => Client.connect("unix:x", { tls: { cert: "" } as object }),
      TypeError,
    );
    assert.throws(
      () => Client.connect("unix:x", { tls: { key: "" } }),
      TypeError,
    );
  });

  test("a timeout that is none is an error, and no call without a deadline", async () => {
    for (const timeoutMs of [0, -1, NaN, Infinity])
      await assert.rejects(
        client.checkVisible(ANN, OWN, { timeoutMs }),
        TypeError,
      );
    assert.throws(
      () => Client.connect("unix:x", { timeoutMs: NaN }),
      TypeError,
    );
  });

  test("text that is not Unicode is refused and not repaired", async () => {
    await assert.rejects(ask({ kind: "cluster", id: "\ud800" }), {
      ...malformed,
      field: "resources[0].id",
    });
    assert.throws(() => Caller.user("\udfff"), InvalidRequestError);
    assert.throws(
      () => Caller.user("1", { organization: "\ud800" }),
      InvalidRequestError,
    );
  });

  test("a number is no id, and neither is nothing", async () => {
    for (const id of [7, null, undefined, {}, []])
      await assert.rejects(ask({ kind: "cluster", id }), malformed);
    assert.throws(() => Caller.user(2 as never), InvalidRequestError);
  });

  test("a choice is exactly one", async () => {
    const owners = [{}, { ownedBy: "1", unowned: true }, { unowned: false }];
    for (const owner of owners)
      await assert.rejects(ask({ ...OWN, attributes: { owner } }), malformed);
    for (const gate of [{}, { platformAdmin: false }])
      await assert.rejects(
        client.checkRole(ANN, gate as { platformAdmin: true }),
        malformed,
      );
    for (const role of ["UNSPECIFIED", "admin", "constructor", "1"])
      await assert.rejects(
        client.checkRole(ANN, { anyOfOrgRoles: [role as "ADMIN"] }),
        malformed,
      );
  });

  test("both kinds of freshness at once are an error", async () => {
    const both = { atLeastAsFresh: "1", fullyConsistent: true };
    await assert.rejects(client.checkVisible(ANN, OWN, both), TypeError);
  });
});

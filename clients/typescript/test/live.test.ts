/** The client and a sidecar, by every way that leads to one. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import {
  AccessLevel,
  Caller,
  Client,
  type ClientOptions,
  DeniedError,
  InvalidRequestError,
  NotFoundError,
  PermissionDeniedError,
  UnauthenticatedError,
  UnavailableError,
  UndecidedError,
  UnknownRevisionError,
  type WatchEvent,
} from "../src/index.js";
import {
  type Addresses,
  ANN,
  MISSING,
  OWN,
  type Served,
  sidecar,
} from "./support.js";

// The first call also waits for the machine, which may be busy.
const PATIENT = { timeoutMs: 10_000 };

type Way = (told: Addresses) => readonly [string, ClientOptions];

const WAYS: Readonly<Record<string, Way>> = {
  unix: ({ unix }) => [unix, PATIENT],
  tcp: ({ tcp }) => [tcp, PATIENT],
  mtls: ({ tls: { address, ca, cert, key } }) => [
    address,
    { ...PATIENT, tls: { ca, certificate: cert, key } },
  ],
};

for (const engine of ["native", "grpcio"])
  describe(`a sidecar with the engine ${engine}`, () => {
    let served: Served<Addresses>;

    before(async () => {
      served = await sidecar(engine);
    });
    after(() => served.stop());

    for (const [name, way] of Object.entries(WAYS))
      describe(`by ${name}`, () => {
        let client: Client;

        before(() => {
          client = Client.connect(...way(served.told));
        });
        after(() => {
          client.close();
        });

        test("decides on one resource and on several", async () => {
          const one = await client.checkVisible(ANN, OWN);
          const two = await client.checkVisible(ANN, [OWN, MISSING]);

          one.require();
          assert.equal(one.allAllowed, true);
          assert.equal(one.at(0).reason, "OWNED");
          assert.equal(two.allAllowed, false);
          assert.equal(two.at(1).httpStatus, 404);
          assert.throws(() => {
            two.require();
          }, DeniedError);
        });

        test("answers a thousand questions in one call", async () => {
          const thousand = Array.from({ length: 1000 }, () => OWN);

          const answer = await client.checkWritable(ANN, thousand);

          assert.equal(answer.length, 1000);
          assert.equal(answer.allAllowed, true);
        });

        test("answers every other question", async () => {
          const { context } = await client.resolveContext(ANN);
          const contexts = await client.listContexts(ANN);
          const gate = await client.checkRole(ANN, {
            anyOfOrgRoles: ["ADMIN"],
          });
          const creatable = await client.checkCreatable(ANN, {
            kind: "model",
            owner: { ownedBy: "20" },
          });
          const permissions = await client.getPermissions(ANN, {
            context: "DATA",
          });
          const verdict = await client.authorize(ANN, [
            { visible: OWN },
            { role: { platformAdmin: true } },
          ]);
          const problems = await client.validateAccessRules({
            roleId: "1",
            context: "DATA",
          });
          const info = await client.serverInfo();

          assert.equal(context.userId, "2");
          assert.equal(contexts.at(0).kind, "PERSONAL");
          assert.equal(gate.allowed, true);
          assert.equal(creatable.allAllowed, true);
          assert.equal(permissions.at(0).read, AccessLevel.NONE);
          assert.equal(verdict.allowed, false);
          assert.equal(verdict.decision.reason, "PLATFORM_ADMIN_REQUIRED");
          assert.equal(problems.at(0).reason, "READ_MISSING");
          assert.equal(info.features.has("WATCH"), true);
        });

        test("gives a list filter, and as SQL when asked", async () => {
          const columns = { OWNER_PRINCIPAL_ID: "c.owner", ID: "c.id" };
          const filter = await client.getListFilter(ANN, "cluster", {
            sql: { columns, placeholders: "DOLLAR" },
          });
          const plain = await client.getListFilter(ANN, "cluster");

          assert.equal(filter.selection.is, "ANY_OF");
          assert.match(filter.sql?.text ?? "", /^\(.*\$1.*\)$/);
          assert.equal(filter.sql?.parameters[0], 20n);
          assert.equal(plain.sql, null);
        });

        test("explains when asked", async () => {
          const answer = await client.checkVisible(ANN, OWN, { explain: true });

          const rules = answer.at(0).explanation?.steps.map(({ rule }) => rule);
          assert.equal(rules?.includes("visible.owned"), true, String(rules));
        });

        test("is as fresh as wanted", async () => {
          const { revision } = await client.checkVisible(ANN, OWN);
          assert.ok(revision !== null);

          const fresh = { atLeastAsFresh: revision };
          (await client.checkVisible(ANN, OWN, fresh)).require();
          const full = { fullyConsistent: true };
          (await client.checkVisible(ANN, OWN, full)).require();
        });

        test("tells errors by type, reason and field", async () => {
          await assert.rejects(
            client.checkVisible(ANN, { kind: "", id: "1" }),
            {
              constructor: InvalidRequestError,
              code: "INVALID_ARGUMENT",
              reason: "MALFORMED_FIELD",
              field: "resources[0].kind",
            },
          );
          await assert.rejects(
            client.checkVisible(ANN, OWN, { atLeastAsFresh: "x" }),
            { constructor: UnknownRevisionError, reason: "UNKNOWN_REVISION" },
          );
          await assert.rejects(client.resolveContext(Caller.apiKey("a_b_c")), {
            constructor: UnauthenticatedError,
            code: "UNAUTHENTICATED",
            reason: "INVALID_CREDENTIAL",
          });
          const stranger = Caller.user("2", { organization: "21" });
          await assert.rejects(client.resolveContext(stranger), {
            constructor: PermissionDeniedError,
            reason: "NOT_A_MEMBER",
          });
          const jon = Caller.user("13", { organization: "22" });
          await assert.rejects(client.resolveContext(jon), {
            constructor: NotFoundError,
            reason: "ORGANIZATION_NOT_FOUND",
          });
        });

        test("watches, and resumes", async () => {
          const events: WatchEvent[] = [];
          for await (const event of client.watch()) {
            events.push(event);
            break;
          }
          const [beat] = events;
          assert.ok(beat?.is === "BEAT");
          for await (const event of client.watch(beat.revision)) {
            assert.equal(event.is, "BEAT");
            break;
          }
          await assert.rejects(async () => {
            for await (const event of client.watch("x")) assert.fail(event.is);
          }, UnknownRevisionError);
        });
      });

    test("without a certificate nobody gets an answer", async () => {
      const { address, ca } = served.told.tls;
      using client = Client.connect(address, { tls: { ca }, timeoutMs: 2000 });

      await assert.rejects(client.checkVisible(ANN, OWN), UnavailableError);
    });

    test("a listener that another authority signed is not believed", async () => {
      const { address, cert, key } = served.told.tls;
      const tls = { certificate: cert, key };
      using client = Client.connect(address, { tls, timeoutMs: 2000 });

      await assert.rejects(client.checkVisible(ANN, OWN), UnavailableError);
    });

    test("a name that is not in the certificate is not believed", async () => {
      const { address, ca, cert, key } = served.told.tls;
      const tls = { ca, certificate: cert, key, serverName: "other.example" };
      using client = Client.connect(address, { tls, timeoutMs: 2000 });

      await assert.rejects(client.checkVisible(ANN, OWN), UnavailableError);
    });

    test("a stopped sidecar is an error in time, and answers again later", async () => {
      using client = Client.connect(served.told.tcp, { timeoutMs: 300 });
      (await client.checkVisible(ANN, OWN, PATIENT)).require();
      served.process.kill("SIGSTOP");
      const began = performance.now();

      await assert.rejects(client.checkVisible(ANN, OWN), UndecidedError);

      assert.ok(performance.now() - began < 1500);
      served.process.kill("SIGCONT");
      await sleep(0);
      (await client.checkVisible(ANN, OWN, PATIENT)).require();
    });
  });

/** The quick start and the example, as they are written. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { type Addresses, cloud, PACKAGE, type Served } from "./support.js";

// The user, the organization and the key that the page has.
const HEADERS = {
  "x-api-key": "gpk_annlaptop_EXAMPLE-ann-laptop-0001",
  "x-organization-id": "1",
};

const top = mkdtempSync(join(tmpdir(), "authz-"));
let served: Served<Addresses>;

before(async () => {
  served = await cloud(top);
  mkdirSync(join(top, ".dev"));
  const socket = served.told.unix.replace("unix:", "");
  symlinkSync(socket, join(top, ".dev", "authz.sock"));
});
after(async () => {
  await served.stop();
  rmSync(top, { recursive: true });
});

test("the ten lines of the page run, and say what they should", async () => {
  const page = readFileSync(join(PACKAGE, "README.md"), "utf-8");
  const [, lines = ""] = /```js\n(import .*?)```/s.exec(page) ?? [];
  // Within the package, so that its name leads to itself.
  const script = join(PACKAGE, "build", "ask.mjs");
  writeFileSync(script, lines);

  const ran = await promisify(execFile)("node", [script], { cwd: top });

  const [one = "", two = "", three] = ran.stdout.split("\n");
  assert.match(one, /^true OWNED [0-9a-f]+-1\.0$/);
  assert.match(two, /^false RESOURCE_NOT_FOUND [0-9a-f]+-1\.1$/);
  assert.equal(three, "404 the resource does not exist");
});

test("the example serves who may, and gives lists a filter", async () => {
  const script = join(PACKAGE, "build/examples/express/server.js");
  const env = { ...process.env, AUTHZ_ADDRESS: served.told.unix, PORT: "0" };
  const child = spawn("node", [script], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const at = await port(child.stdout);
    const got = async (path: string, headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${at}${path}`, { headers });

    const own = await got("/v2/clusters/1", HEADERS);
    assert.equal(own.status, 200);
    assert.deepEqual(await own.json(), {
      id: "1",
      userId: "1",
      currentPrincipalId: "1",
    });
    assert.equal((await got("/v2/clusters/3", HEADERS)).status, 404);
    assert.equal((await got("/v2/clusters/1", {})).status, 401);
    assert.match(
      await (await got("/v2/clusters", HEADERS)).text(),
      /c.*owner_id.*= \$1/,
    );
  } finally {
    child.kill();
  }
});

async function port(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface(output)) {
    const [, found] = /port: (\d+)/.exec(line) ?? [];
    if (found !== undefined) return found;
  }
  throw new Error("the example did not start");
}

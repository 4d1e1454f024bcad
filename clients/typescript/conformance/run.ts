/**
 * Plays a file of vectors through the client, a line of JSON for each.
 *
 *     node build/conformance/run.js --address ADDRESS
 *         [--ca FILE --cert FILE --key FILE] FILE.json
 */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { AuthzError, Client, type Tls } from "../src/index.js";
import { ask } from "./asking.js";
import { difference } from "./comparing.js";
import { NotAskableError, type Row } from "./json.js";
import { answer, error } from "./telling.js";

interface Vector {
  readonly id: string;
  readonly call: string;
  readonly request: Row;
  readonly want: Row;
}

// Thousands of questions on a busy machine are no test of deadlines.
const TIMEOUT_MS = 10_000;

const { values, positionals } = parseArgs({
  options: {
    address: { type: "string" },
    ca: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
  },
  allowPositionals: true,
});
const [file] = positionals;
if (values.address === undefined || file === undefined)
  throw new Error("wanted: --address ADDRESS FILE.json");

const { vectors } = JSON.parse(readFileSync(file, "utf-8")) as {
  vectors: Vector[];
};
const client = Client.connect(values.address, {
  tls: tls(values.ca, values.cert, values.key),
  timeoutMs: TIMEOUT_MS,
});
for (const vector of vectors)
  console.log(JSON.stringify({ id: vector.id, ...(await outcome(vector)) }));
client.close();

async function outcome({ call, request, want }: Vector): Promise<Row> {
  let came: Row;
  try {
    came = { response: answer(await ask(client, call, request)) };
  } catch (thrown) {
    if (thrown instanceof NotAskableError) return { skipped: thrown.message };
    if (!(thrown instanceof AuthzError)) throw thrown;
    came = { error: error(thrown) };
  }
  const found = difference(want, came);
  return found === null ? { ok: true } : { ok: false, told: found };
}

function tls(
  ca: string | undefined,
  certificate: string | undefined,
  key: string | undefined,
): Tls | undefined {
  if (ca === undefined) return undefined;
  if (certificate === undefined || key === undefined) return { ca };
  return { ca, certificate, key };
}

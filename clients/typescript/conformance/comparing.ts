/** Whether what came is what a vector wants. */

import { isList, type Json, type Row } from "./json.js";

const EXACT = ["allowed", "denial", "reason"];

/**
 * Where they differ and how; null where they do not. What the wish lacks is not
 * compared, but for the parts of a decision. Lists are compared by length and order.
 */
export function difference(
  wanted: Json | undefined,
  came: Json | undefined,
  path = "it",
): string | null {
  if (typeof wanted !== "object")
    return wanted === came ? null : differs(wanted, came, path);
  if (typeof came !== "object" || isList(wanted) !== isList(came))
    return differs(wanted, came, path);
  if (isList(wanted)) return lists(wanted, came as readonly Json[], path);
  return messages(wanted, came as Row, path);
}

function messages(wanted: Row, came: Row, path: string): string | null {
  const names = new Set(Object.keys(wanted));
  if (names.has("allowed")) for (const each of EXACT) names.add(each);
  for (const name of names) {
    const found = difference(wanted[name], came[name], `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}

function lists(
  wanted: readonly Json[],
  came: readonly Json[],
  path: string,
): string | null {
  if (wanted.length !== came.length) return differs(wanted, came, path);
  for (const [index, each] of wanted.entries()) {
    const found = difference(each, came[index], `${path}[${String(index)}]`);
    if (found !== null) return found;
  }
  return null;
}

function differs(
  wanted: Json | undefined,
  came: Json | undefined,
  path: string,
): string {
  const [one, other] = [wanted, came].map((each) => JSON.stringify(each));
  return `${path} is ${other ?? "nothing"} instead of ${one ?? "nothing"}`;
}

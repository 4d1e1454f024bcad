/** What every part of an answer is held to. */

import { ProtocolError } from "./errors.js";

/** The bare name of a number in an enum; neither unknown nor unspecified. */
export function bare(kind: object, number: number): string {
  const name = (kind as Record<number, string | undefined>)[number];
  if (name !== undefined && name !== "UNSPECIFIED") return name;
  throw new ProtocolError(
    `the answer has the unknown number ${String(number)}`,
  );
}

/** A part that has to be there. */
export function wants<T>(part: T | undefined, field: string): T {
  if (part !== undefined && part !== "") return part;
  throw new ProtocolError(`the answer lacks \`${field}\``);
}

/** As many parts as there were questions, and at least one. */
export function counts(found: number, wanted: number): void {
  if (found === wanted && found > 0) return;
  const parts = `${String(found)} parts instead of ${String(wanted)}`;
  throw new ProtocolError(`the answer has ${parts}`);
}

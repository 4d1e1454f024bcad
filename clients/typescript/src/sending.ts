/** What values have to be before they are sent. */

import { InvalidRequestError } from "./errors.js";

const MALFORMED = "MALFORMED_FIELD";

/**
 * A text that can be sent. A number is none, and neither is half of a surrogate pair,
 * which a header may well hold: what stands for it would be somebody else's id.
 */
export function text(value: string, field: string): string {
  if (typeof value === "string" && value.isWellFormed()) return value;
  const message = "the question has a value that is no text, or not Unicode";
  throw new InvalidRequestError(message, { reason: MALFORMED, field });
}

/** A member of an enum by its bare name. */
export function word<E extends number>(
  kind: Readonly<Record<string, string | E>>,
  name: string,
  field: string,
): E {
  // An enum has its numbers as names too, but those are texts.
  const member = Object.hasOwn(kind, name) ? kind[name] : undefined;
  if (typeof member === "number" && name !== "UNSPECIFIED") return member;
  const message = "the question has a word that is not known";
  throw new InvalidRequestError(message, { reason: MALFORMED, field });
}

/** A property that is there only when it has a value. */
export function optional<N extends string, V>(
  name: N,
  value: V | null | undefined,
): Partial<Record<N, V>> {
  if (value === undefined || value === null) return {};
  return { [name]: value } as Record<N, V>;
}

/** Throws a TypeError for a property that is not known: it is misspelt, never ignored. */
export function chosen(options: object, names: readonly string[]): void {
  const misspelt = Object.keys(options).find((each) => !names.includes(each));
  if (misspelt !== undefined)
    throw new TypeError(`the option \`${misspelt}\` is not known`);
}

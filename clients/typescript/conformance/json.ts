/** Bare JSON, as vectors have it. */

export type Json = boolean | number | string | readonly Json[] | Row;
export interface Row {
  readonly [name: string]: Json | undefined;
}

/** The client's API cannot ask this. */
export class NotAskableError extends Error {}

/** A message within a message; an empty one where there is none. */
export function part(row: Row, name: string): Row {
  const value = row[name] ?? {};
  if (typeof value === "object" && !isList(value)) return value;
  throw new NotAskableError(`\`${name}\` is not a message`);
}

/** Messages within a message. */
export function parts(row: Row, name: string): Row[] {
  return list(row, name).map((each) => part({ each }, "each"));
}

/** A list within a message; an empty one where there is none. */
export function list(row: Row, name: string): readonly Json[] {
  const value = row[name] ?? [];
  if (isList(value)) return value;
  throw new NotAskableError(`\`${name}\` is not a list`);
}

export function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value === "string") return value;
  throw new NotAskableError(`\`${name}\` is not a text`);
}

export function textOrNone(row: Row, name: string): string | undefined {
  return row[name] === undefined ? undefined : text(row, name);
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

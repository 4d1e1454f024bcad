/** Which rows may be listed. */

import { Answer } from "./answer.js";
import type { Field } from "./questions.js";

/** A condition on rows: a closed tree, told apart by `is`. */
export type Condition =
  | {
      readonly is: "ALL_OF" | "ANY_OF";
      readonly conditions: readonly Condition[];
    }
  | { readonly is: "EQUALS"; readonly field: Field; readonly value: string }
  | {
      readonly is: "IN";
      readonly field: Field;
      readonly values: readonly string[];
    };

/** Every row, none, or those for which a condition holds. */
export type Selection =
  { readonly is: "EVERYTHING" } | { readonly is: "NOTHING" } | Condition;

export type SqlValue = bigint | string | readonly bigint[] | readonly string[];

/** A filter as a SQL condition, in parentheses or `TRUE` or `FALSE`. */
export interface SqlFilter {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

/** Which rows a caller may list. */
export class ListFilter extends Answer {
  readonly selection: Selection;
  /** Set when it was asked for. */
  readonly sql: SqlFilter | null;
  readonly revision: string | null;

  constructor(
    selection: Selection,
    sql: SqlFilter | null,
    revision: string | null,
  ) {
    super();
    this.selection = selection;
    this.sql = sql;
    this.revision = revision;
    Object.freeze(this);
  }
}

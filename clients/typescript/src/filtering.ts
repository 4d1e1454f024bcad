/** From messages to list filters: a condition that is left out would list too much. */

import { ProtocolError } from "./errors.js";
import { type Condition, ListFilter, type Selection } from "./filters.js";
import type { SqlFilter, SqlValue } from "./filters.js";
import { GetListFilterResponseSchema } from "./gen/authz/v1/authorization_service_pb.js";
import {
  type FilterCondition,
  FilterField,
  type FilterConditions,
  type ListFilter as FilterMessage,
  type SqlFilter as SqlMessage,
  type SqlParameter,
} from "./gen/authz/v1/filter_pb.js";
import type { Field } from "./questions.js";
import { decoded } from "./reading.js";
import { bare, wants } from "./wire.js";

const LEAST_BRANCHES = 2;

/** The answer of GetListFilter. */
export function listFilter(isWithSql: boolean, data: Uint8Array): ListFilter {
  const message = decoded(GetListFilterResponseSchema, data);
  if ((message.sql !== undefined) !== isWithSql)
    throw new ProtocolError(
      "the answer has SQL that was not asked for, or lacks it",
    );
  const chosen = selection(wants(message.filter, "filter"));
  const text = message.sql === undefined ? null : sql(message.sql);
  return new ListFilter(chosen, text, message.revision ?? null);
}

function selection({ selection: told }: FilterMessage): Selection {
  if (told.case === "everything" && told.value) return { is: "EVERYTHING" };
  if (told.case === "nothing" && told.value) return { is: "NOTHING" };
  if (told.case === "condition") return condition(told.value);
  throw new ProtocolError("the answer lacks a selection");
}

function condition({ condition: told }: FilterCondition): Condition {
  switch (told.case) {
    case "allOf":
      return { is: "ALL_OF", conditions: branches(told.value) };
    case "anyOf":
      return { is: "ANY_OF", conditions: branches(told.value) };
    case "equals":
      return {
        is: "EQUALS",
        field: bare(FilterField, told.value.field) as Field,
        value: told.value.value,
      };
    case "in":
      if (told.value.values.length === 0)
        throw new ProtocolError("the answer compares with no value");
      return {
        is: "IN",
        field: bare(FilterField, told.value.field) as Field,
        values: told.value.values,
      };
    default:
      throw new ProtocolError(
        "the answer has a condition that is not known here",
      );
  }
}

function branches({ conditions }: FilterConditions): readonly Condition[] {
  if (conditions.length < LEAST_BRANCHES)
    throw new ProtocolError("the answer joins fewer than two conditions");
  return conditions.map((each) => condition(each));
}

function sql(message: SqlMessage): SqlFilter {
  const text = wants(message.text, "sql.text");
  return { text, parameters: message.parameters.map((each) => value(each)) };
}

function value({ value: told }: SqlParameter): SqlValue {
  switch (told.case) {
    case "int64":
    case "text":
    case "uuid":
      return told.value;
    case "int64Array":
    case "textArray":
    case "uuidArray":
      return told.value.values;
    default:
      throw new ProtocolError("the answer has a SQL parameter without a value");
  }
}

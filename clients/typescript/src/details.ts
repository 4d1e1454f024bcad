/** What an error says for programs, in the trailer `grpc-status-details-bin`. */

import { fromBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";

import {
  BadRequestSchema,
  ErrorDetailsSchema,
  ErrorInfoSchema,
} from "./gen/authz_client/details_pb.js";

export const TRAILER = "grpc-status-details-bin";

const DOMAIN = "authz.v1";
const TYPES = "type.googleapis.com/google.rpc.";

/** What an error says besides its status; each is empty when it is not told. */
export interface Details {
  readonly reason: string;
  readonly field: string;
}

/** The details in a trailer; none where they cannot be read. */
export function detailsOf(trailer: Uint8Array | undefined): Details {
  if (trailer === undefined) return { reason: "", field: "" };
  try {
    const { details } = fromBinary(ErrorDetailsSchema, trailer);
    return { reason: reasonIn(details), field: fieldIn(details) };
  } catch {
    return { reason: "", field: "" };
  }
}

function reasonIn(details: readonly Any[]): string {
  const packed = details.find((each) => each.typeUrl === `${TYPES}ErrorInfo`);
  if (packed === undefined) return "";
  const info = fromBinary(ErrorInfoSchema, packed.value);
  return info.domain === DOMAIN ? info.reason : "";
}

function fieldIn(details: readonly Any[]): string {
  const packed = details.find((each) => each.typeUrl === `${TYPES}BadRequest`);
  if (packed === undefined) return "";
  const { fieldViolations } = fromBinary(BadRequestSchema, packed.value);
  return fieldViolations[0]?.field ?? "";
}

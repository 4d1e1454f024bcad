/** From messages to what a server is, and what its watch says. */

import type { Duration } from "@bufbuild/protobuf/wkt";

import { ProtocolError } from "./errors.js";
import {
  GetServerInfoResponseSchema,
  OptionalFeature,
  type WatchPosition,
  WatchResponseSchema,
} from "./gen/authz/v1/authorization_service_pb.js";
import { decoded } from "./reading.js";
import { type Position, ServerInfo, type WatchEvent } from "./server.js";

const LONGEST_SECONDS = 315_576_000_000n;
const NANOS_IN_MS = 1_000_000;

/** The answer of GetServerInfo; features that are not known here are left out. */
export function serverInfo(data: Uint8Array): ServerInfo {
  const message = decoded(GetServerInfoResponseSchema, data);
  const features = message.features
    .filter((each) => each !== OptionalFeature.UNSPECIFIED)
    .map((each) => OptionalFeature[each] as string | undefined)
    .filter((each) => each !== undefined);
  return new ServerInfo({
    version: message.version,
    engine: message.engine,
    configurationDigest: message.configurationDigest,
    schemaVersion: message.schemaVersion ?? null,
    features: new Set(features),
    position: position(message.position),
    stalenessMs: milliseconds(message.staleness),
    maxStalenessMs: milliseconds(message.maxStaleness),
  });
}

/** One message of Watch. */
export function watchEvent(data: Uint8Array): WatchEvent {
  const { event } = decoded(WatchResponseSchema, data);
  switch (event.case) {
    case "changes": {
      const changes = event.value.changes.map(({ group, key, revision }) => ({
        group,
        key: key ?? null,
        revision,
      }));
      return { is: "CHANGES", changes };
    }
    case "dropEverything":
      return { is: "DROP_EVERYTHING", revision: event.value.revision ?? null };
    case "beat":
      return {
        is: "BEAT",
        revision: event.value.revision,
        stalenessMs: milliseconds(event.value.staleness),
        position: position(event.value.position),
      };
    default:
      // It may be news of a change that a newer server tells in another way.
      throw new ProtocolError(
        "the stream has a message that is not known here",
      );
  }
}

function position(message: WatchPosition | undefined): Position | null {
  if (message === undefined || message.server === "") return null;
  return { server: message.server, number: message.number };
}

function milliseconds(duration: Duration | undefined): number | null {
  if (duration === undefined) return null;
  const { seconds, nanos } = duration;
  if (seconds > LONGEST_SECONDS || seconds < -LONGEST_SECONDS)
    throw new ProtocolError("the answer has a duration that is none");
  return Number(seconds) * 1000 + nanos / NANOS_IN_MS;
}

/** What a server is, and what it says while it is watched. */

import { Answer } from "./answer.js";

/** How much a server has told or heard; only of one server have they an order. */
export interface Position {
  readonly server: string;
  readonly number: bigint;
}

/** What a server is; the last three are null where it serves no Watch. */
export class ServerInfo extends Answer {
  readonly version: string;
  readonly engine: string;
  readonly configurationDigest: string;
  readonly schemaVersion: number | null;
  readonly features: ReadonlySet<string>;
  readonly position: Position | null;
  readonly stalenessMs: number | null;
  readonly maxStalenessMs: number | null;

  constructor(parts: Readonly<Omit<ServerInfo, keyof Answer>>) {
    super();
    this.version = parts.version;
    this.engine = parts.engine;
    this.configurationDigest = parts.configurationDigest;
    this.schemaVersion = parts.schemaVersion;
    this.features = parts.features;
    this.position = parts.position;
    this.stalenessMs = parts.stalenessMs;
    this.maxStalenessMs = parts.maxStalenessMs;
    Object.freeze(this);
  }
}

/** A fact that changed; without a key its whole group did. */
export interface Change {
  readonly group: string;
  readonly key: string | null;
  readonly revision: string;
}

/**
 * One message of a watch: facts that changed, that changes may have been missed, or a
 * proof of life. `position` says what the stream has told.
 */
export type WatchEvent =
  | { readonly is: "CHANGES"; readonly changes: readonly Change[] }
  | { readonly is: "DROP_EVERYTHING"; readonly revision: string | null }
  | {
      readonly is: "BEAT";
      readonly revision: string;
      readonly stalenessMs: number | null;
      readonly position: Position | null;
    };

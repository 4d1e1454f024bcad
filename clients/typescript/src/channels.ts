/** Where a sidecar is, and how to speak with it. */

import { readFileSync } from "node:fs";

import {
  type ChannelOptions,
  type ClientOptions,
  Client as GrpcClient,
  credentials,
} from "@grpc/grpc-js";

/** PEM as bytes, or the path of a file. */
export type Pem = Uint8Array | string;

/** How a listener proves itself, and how this client does; files are read at once. */
export interface Tls {
  /** The authorities that are trusted; without, those of Node. */
  readonly ca?: Pem;
  /** The client's own certificate; goes together with `key`. */
  readonly certificate?: Pem;
  readonly key?: Pem;
  /** The name in the listener's certificate, if not that of the address. */
  readonly serverName?: string;
}

// The library's own repetitions would not know of the budget. A proxy or a service
// configuration from the surroundings has no say in who decides. After a restart a
// sidecar is there within seconds, but the library would look for it once in two
// minutes. Connections are this client's alone, and end with it.
const OPTIONS: ChannelOptions = {
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.dns_min_time_between_resolutions_ms": 1000,
  "grpc.use_local_subchannel_pool": 1,
};

const TLS_WORDS = new Set(["ca", "certificate", "key", "serverName"]);

/** A connection that is made when it is needed; throws for a file that is unreadable. */
export function openChannel(target: string, tls: Tls | undefined): GrpcClient {
  if (tls === undefined)
    return new GrpcClient(target, credentials.createInsecure(), OPTIONS);
  const misspelt = Object.keys(tls).find((name) => !TLS_WORDS.has(name));
  if (misspelt !== undefined)
    throw new TypeError(`\`tls.${misspelt}\` is not known`);
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    throw new TypeError("`certificate` and `key` go together");
  const secure = credentials.createSsl(
    read(tls.ca),
    read(tls.key),
    read(tls.certificate),
  );
  return new GrpcClient(target, secure, secureOptions(tls.serverName));
}

function secureOptions(serverName: string | undefined): ClientOptions {
  if (serverName === undefined) return OPTIONS;
  return { ...OPTIONS, "grpc.ssl_target_name_override": serverName };
}

function read(pem: Pem | undefined): Buffer | null {
  if (pem === undefined) return null;
  return typeof pem === "string" ? readFileSync(pem) : Buffer.from(pem);
}

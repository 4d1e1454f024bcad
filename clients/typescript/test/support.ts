/** Servers to test against: in this process, and those of the conformance tests. */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { create, toBinary } from "@bufbuild/protobuf";
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from "@grpc/grpc-js";

import {
  ErrorDetailsSchema,
  ErrorInfoSchema,
} from "../src/gen/authz_client/details_pb.js";
import { Caller } from "../src/index.js";

export const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), "../..");
const REPOSITORY = join(PACKAGE, "../..");
const CONFORMANCE = join(REPOSITORY, "clients/conformance");
const PYTHON =
  process.env["CLIENTS_PYTHON"] ?? join(REPOSITORY, ".venv/bin/python");

/** An admin of the organization 20 in the world `tenancy`, who owns cluster 501. */
export const ANN = Caller.user("2", { organization: "20" });
export const OWN = { kind: "cluster", id: "501" } as const;
export const MISSING = { kind: "cluster", id: "999" } as const;

/** A process of Python that prints a line of JSON once it serves. */
export interface Served<T> {
  readonly told: T;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export interface Addresses {
  readonly unix: string;
  readonly tcp: string;
  readonly tls: {
    readonly address: string;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
  };
}

export function sidecar(engine = "native"): Promise<Served<Addresses>> {
  const world = join(CONFORMANCE, "worlds/tenancy.yaml");
  return serve("serve.py", ["--world", world, "--engine", engine, "--tls"]);
}

/** The sidecar of the examples, as `make run` has it; its world is written to a folder. */
export function cloud(folder: string): Promise<Served<Addresses>> {
  const [settings, directory] = ["sidecar.yaml", "gpu-cloud.yaml"].map((name) =>
    indented(readFileSync(join(REPOSITORY, "examples", name), "utf-8")),
  );
  const world = join(folder, "cloud.yaml");
  const content = ["settings:", settings, "directory:", directory];
  writeFileSync(world, content.join("\n"));
  return serve("serve.py", ["--world", world]);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

export function liar(
  mode: string,
  address = "127.0.0.1:0",
): Promise<Served<{ readonly address: string }>> {
  return serve("hostile.py", ["--mode", mode, "--address", address]);
}

async function serve<T>(
  script: string,
  told: readonly string[],
): Promise<Served<T>> {
  const child = spawn(PYTHON, [join(CONFORMANCE, script), ...told], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
  });
  const line = await firstLine(child);
  const stop = async () => {
    child.kill("SIGCONT");
    child.stdin.end();
    await ended;
  };
  return { told: JSON.parse(line) as T, process: child, stop };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error("the server did not start");
}

type Handle = handleUnaryCall<Buffer, Buffer>;

/** A server in this process that answers every call of the API by one function. */
export async function scripted(
  handle: Handle,
): Promise<{ address: string; stop: () => void }> {
  const server = new Server();
  const methods = [
    "Authorize",
    "CheckVisible",
    "GetServerInfo",
    "ResolveContext",
  ];
  server.addService(
    Object.fromEntries(methods.map((each) => [each, definition(each)])),
    Object.fromEntries(methods.map((each) => [each, handle])),
  );
  const port = await new Promise<number>((resolve, reject) => {
    const secure = ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", secure, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const stop = () => {
    server.forceShutdown();
  };
  return { address: `127.0.0.1:${String(port)}`, stop };
}

/** Metadata with error details. */
export function withDetails(details: Uint8Array): Metadata {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(details));
  return metadata;
}

/** Metadata with a reason, of the sidecar or of whoever else has this domain. */
export function withReason(reason: string, domain: string): Metadata {
  const info = create(ErrorInfoSchema, { reason, domain });
  const typeUrl = "type.googleapis.com/google.rpc.ErrorInfo";
  const details = [{ typeUrl, value: toBinary(ErrorInfoSchema, info) }];
  const packed = create(ErrorDetailsSchema, { details });
  return withDetails(toBinary(ErrorDetailsSchema, packed));
}

function definition(method: string): ServiceDefinition[string] {
  const asItIs = (data: Buffer): Buffer => data;
  return {
    path: `/authz.v1.AuthorizationService/${method}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}

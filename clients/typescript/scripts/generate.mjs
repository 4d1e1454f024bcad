// Generates src/gen from the API's proto, and says with --check whether it differs.
//
// Needs `buf`: in the PATH, or named by the environment variable BUF.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
const GENERATED = join(HERE, "src", "gen");
const PROTO = [join(HERE, "..", "..", "proto"), join(HERE, "proto")];
const BUF = process.env.BUF ?? "buf";

const fresh = mkdtempSync(join(tmpdir(), "authz-gen-"));
try {
  for (const folder of PROTO) generate(folder, fresh);
  if (process.argv.includes("--check")) check(fresh);
  else replace(fresh);
} finally {
  rmSync(fresh, { recursive: true });
}

function generate(folder, out) {
  const template = {
    version: "v2",
    plugins: [
      {
        local: join(HERE, "node_modules", ".bin", "protoc-gen-es"),
        out,
        opt: ["target=ts", "import_extension=js"],
      },
    ],
  };
  const told = ["generate", folder, "--template", JSON.stringify(template)];
  execFileSync(BUF, told, { stdio: "inherit" });
}

function replace(from) {
  rmSync(GENERATED, { recursive: true, force: true });
  cpSync(from, GENERATED, { recursive: true });
}

function check(from) {
  const wanted = contents(from);
  const found = contents(GENERATED);
  if (JSON.stringify(wanted) === JSON.stringify(found)) return;
  console.error(
    "src/gen differs from what the proto generates: npm run generate",
  );
  process.exitCode = 1;
}

function contents(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort()
    .map((path) => [path.slice(folder.length), readFileSync(path, "utf-8")]);
}

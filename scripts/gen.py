"""Generates the stubs from the protos; with --check, says what differs."""

import filecmp
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gen_clients

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of protos, and where what is made of them belongs.

    `package` is where Python imports it from, as a path; the protos' folder stands
    for it. `grpc` are the files that have a service.
    """

    protos: Path
    root: Path
    package: str
    grpc: frozenset[str]

    @property
    def target(self) -> Path:
        """The folder of the generated files."""
        return self.root / self.package

    def generate(self, root: Path) -> None:
        """Generates every stub below `root`."""
        names = sorted(path.name for path in self.protos.glob("*.proto"))
        self._protoc(
            f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
            f"--python_out={root}",
            f"--mypy_out=quiet:{root}",
            *names,
        )
        self._protoc(
            f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
            f"--grpc_python_out={root}",
            f"--mypy_grpc_out=quiet:{root}",
            *sorted(self.grpc),
        )

    def differing(self, fresh: Path) -> list[str]:
        """The names of generated files that are not as they should be."""
        wanted = {path.name for path in fresh.iterdir()}
        present = {path.name for path in self.target.glob("*_pb2*")}
        _, changed, missing = filecmp.cmpfiles(
            fresh, self.target, sorted(wanted), shallow=False
        )
        return sorted({*changed, *missing, *(present - wanted)})

    def _protoc(self, *arguments: str) -> None:
        # The last of our arguments are protos; protoc knows them by the package.
        flags = [each for each in arguments if each.startswith("--")]
        protos = [f"{self.package}/{each}" for each in arguments[len(flags) :]]
        command = [sys.executable, "-m", "grpc_tools.protoc"]
        command += [f"-I{self.package}={self.protos}", *flags, *protos]
        subprocess.run(command, check=True)  # noqa: S603  our own arguments


SOURCES = (
    Source(
        ROOT / "proto" / "authz" / "v1",
        ROOT / "clients" / "python",
        "authz/v1",
        frozenset({"authorization_service.proto"}),
    ),
    # Below `sidecar`, so that it stands in nobody's way who has Envoy's own stubs.
    Source(
        ROOT / "proto-envoy",
        ROOT,
        "sidecar/transport/envoy",
        frozenset({"external_auth.proto"}),
    ),
)


def main() -> int:
    """Generates, or checks and returns 1 when something differs."""
    if "--check" in sys.argv[1:]:
        names = _differing()
        others, lines = gen_clients.differing()
    else:
        _generate()
        names, others, lines = [], [], gen_clients.generate()
    for name in [*names, *others]:
        sys.stderr.write(f"{name} is not as `make gen` makes it\n")
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return 1 if names or others or not gen_clients.is_complete(lines) else 0


def _generate() -> None:
    for source in SOURCES:
        for path in source.target.glob("*_pb2*"):
            path.unlink()
        source.generate(source.root)


def _differing() -> list[str]:
    names: list[str] = []
    for source in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            source.generate(Path(folder))
            names += source.differing(Path(folder) / source.package)
    return names


if __name__ == "__main__":
    sys.exit(main())

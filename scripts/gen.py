"""Generates clients/python/authz from proto/; with --check, says what differs."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROTO = ROOT / "proto"
TARGET = ROOT / "clients" / "python" / "authz" / "v1"
SERVICE = "authz/v1/authorization_service.proto"
BIN = Path(sys.executable).parent


def generate(target: Path) -> None:
    """Generates every stub below `target`."""
    protos = sorted(
        path.relative_to(PROTO).as_posix() for path in PROTO.glob("authz/v1/*.proto")
    )
    _protoc(
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--python_out={target}",
        f"--mypy_out=quiet:{target}",
        *protos,
    )
    _protoc(
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"--grpc_python_out={target}",
        f"--mypy_grpc_out=quiet:{target}",
        SERVICE,
    )


def differing(fresh: Path) -> list[str]:
    """The names of generated files that are not as they should be."""
    wanted = {path.name for path in fresh.iterdir()}
    present = {path.name for path in TARGET.glob("*_pb2*")}
    _, changed, missing = filecmp.cmpfiles(fresh, TARGET, sorted(wanted), shallow=False)
    return sorted({*changed, *missing, *(present - wanted)})


def main() -> int:
    """Generates, or checks and returns 1 when something differs."""
    if "--check" not in sys.argv[1:]:
        for path in TARGET.glob("*_pb2*"):
            path.unlink()
        generate(TARGET.parents[1])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        names = differing(Path(folder) / "authz" / "v1")
    for name in names:
        sys.stderr.write(f"{name} is not as `make gen` makes it\n")
    return 1 if names else 0


def _protoc(*arguments: str) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *arguments]
    subprocess.run(command, check=True)  # noqa: S603  our own arguments


if __name__ == "__main__":
    sys.exit(main())

"""Renews requirements/*.lock with hashes, and with no registry's address in them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).parent / "uv"
LOCKS = {
    "runtime.lock": ("pyproject.toml",),
    "dev.lock": ("pyproject.toml", "--extra", "dev", "--group", "checks"),
    # What makes the wheels of the image.
    "build.lock": ("requirements/build.in",),
    # Envoy's own protos, which cannot live beside the sidecar's packages.
    "wire.lock": ("requirements/wire.in", "--python-version", "3.11"),
}


def main() -> None:
    """Compiles each lock for every Python and platform that is supported."""
    for name, sources in LOCKS.items():
        command = (
            str(UV), "pip", "compile", *sources,
            "--universal", "--generate-hashes", "--upgrade", "--no-header",
            "--no-emit-index-url", "--no-emit-find-links", "--no-annotate",
            "--no-emit-package", "authz-client", "--quiet",
            "--output-file", f"requirements/{name}",
        )  # fmt: skip
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  our own arguments


if __name__ == "__main__":
    main()

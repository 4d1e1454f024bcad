"""Renews requirements/*.lock with hashes, and with no registry's address in them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).parent / "uv"
LOCKS = {
    "runtime.lock": (),
    "dev.lock": ("--extra", "dev", "--group", "checks"),
}


def main() -> None:
    """Compiles each lock for every Python and platform that is supported."""
    for name, extras in LOCKS.items():
        command = (
            str(UV), "pip", "compile", "pyproject.toml", *extras,
            "--universal", "--generate-hashes", "--upgrade", "--no-header",
            "--no-emit-index-url", "--no-emit-find-links", "--no-annotate",
            "--no-emit-package", "authz-client", "--quiet",
            "--output-file", f"requirements/{name}",
        )  # fmt: skip
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  our own arguments


if __name__ == "__main__":
    main()

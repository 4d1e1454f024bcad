"""Renders deploy/kubernetes from the chart; with --check, says what differs.

`build/deploy-tools/bin/helm` does it (`make deploy-tools`), or the `helm` of HELM.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHART = ROOT / "deploy" / "helm" / "authz-sidecar"
TARGET = ROOT / "deploy" / "kubernetes"
HELM = Path(os.environ.get("HELM", ROOT / "build" / "deploy-tools" / "bin" / "helm"))
# A helm that is built from its module takes itself for one of Kubernetes 1.20.
KUBERNETES = "1.37.0"
ROUTES = ROOT / "examples" / "routes.yaml"

_HEAD = """\
# Rendered by `make manifests` from deploy/helm/authz-sidecar; do not edit.
# {what}
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file of deploy/kubernetes: the values it is made with, and what it is."""

    values: str
    what: str
    show: tuple[str, ...] = ()


MANIFESTS: Mapping[str, Manifest] = {
    "example.yaml": Manifest(
        "example.yaml", "An application behind Envoy, with the sidecar in its pod."
    ),
    "migration.yaml": Manifest(
        "example.yaml",
        "Brings the schema up to date; run it before example.yaml.",
        ("templates/migration.yaml",),
    ),
}


def render(values: Path, *more: str, helm: Path = HELM, chart: Path = CHART) -> str:
    """What the chart makes of a file of values; hooks only where they are shown.

    Raises:
        RenderError: helm refuses the values, or the chart.
    """
    command = [
        *(str(helm), "template", "example", str(chart), "--namespace", "authz"),
        *("--kube-version", KUBERNETES, "--values", str(values), *more),
    ]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(  # noqa: S603  our own tool
            command, capture_output=True, text=True, check=False, env=_quiet(home)
        )
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return done.stdout


class RenderError(Exception):
    """Helm did not render; the message is what it said."""


def manifest(each: Manifest) -> str:
    """One file of deploy/kubernetes, as the chart makes it now."""
    shown = [option for path in each.show for option in ("--show-only", path)]
    hooks = [] if each.show else ["--no-hooks"]
    text = render(
        CHART / "ci" / each.values,
        *("--set-file", f"edge.routes={ROUTES}"),
        *shown,
        *hooks,
    )
    return _HEAD.format(what=each.what) + text


def main() -> int:
    """Renders, or checks and returns 1 when a file differs."""
    fresh = {TARGET / name: manifest(each) for name, each in MANIFESTS.items()}
    stale = [
        path
        for path, text in fresh.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"{path.name} is not as `make manifests` makes it\n")
        else:
            path.write_text(fresh[path], encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv[1:])


def _quiet(home: str) -> dict[str, str]:
    # Nothing of whoever runs it changes what is rendered.
    return {"PATH": os.environ.get("PATH", ""), "HOME": home}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RenderError, OSError) as error:
        sys.exit(f"error: {error}")

"""Cerbos: what matters comes with the question, and a policy says what follows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.parts.cores import Started, accepts, started
from bench.parts.loads import Target
from bench.parts.wire import prefixed
from bench.parts.world import ROOT
from bench.peers import shared
from bench.peers.fields import field, many, one
from bench.peers.shared import Asked, Call

NAME: Final = "Cerbos"
VERSION: Final = "0.55.0"
BINARY: Final = (
    ROOT / "build/peers/cerbos/node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64"
)
_METHOD: Final = "/cerbos.svc.v1.CerbosService/CheckResources"
_ALLOWED: Final = 1
_CONFIG: Final = """
server:
  grpcListenAddr: "unix:{folder}/cerbos.sock"
  httpListenAddr: "unix:{folder}/cerbos.http"
storage:
  driver: disk
  disk: {{directory: "{folder}/policies", watchForChanges: false}}
telemetry: {{disabled: true}}
"""
_POLICY: Final = """
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: worker
  rules:
    - actions: [see]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          any:
            of:
              - expr: R.attr.owner == P.attr.organization
              - expr: R.attr.cluster in P.attr.clusters
    - actions: [change]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          all:
            of:
              - expr: R.attr.owner == P.attr.organization
              - expr: P.attr.role == "admin"
"""


@dataclass(frozen=True, slots=True)
class Cerbos:
    """A Cerbos that answers, asked about so many actions at once."""

    started: Started
    address: str
    actions: tuple[str, ...] = ("see",)

    def call(self, asked: Asked) -> Call:
        """CheckResources for all workers."""
        clusters = b"".join(
            field(1, _text(str(each))) for each in shared.granted(asked.organization)
        )
        principal = b"".join(
            (
                field(1, str(asked.user)),
                field(3, "user"),
                _attribute("organization", _text(str(asked.organization))),
                _attribute("role", _text(shared.role(asked.user))),
                # A Value that is a list.
                _attribute("clusters", field(6, clusters)),
            )
        )
        entries = b"".join(field(4, self._entry(each)) for each in asked.workers)
        body = prefixed(field(3, principal) + entries)
        return Call(Target(self.address, _METHOD), body)

    def _entry(self, worker: int) -> bytes:
        resource = b"".join(
            (
                field(1, "worker"),
                field(3, str(worker)),
                _attribute("owner", _text(str(shared.owner(worker)))),
                _attribute("cluster", _text(str(shared.cluster(worker)))),
            )
        )
        actions = b"".join(field(1, each) for each in self.actions)
        return actions + field(2, resource)

    def answers(self, asked: Asked, message: bytes) -> Sequence[bool]:
        """By worker, in whatever order they come; of several actions, of the first."""
        return self.answers_to(self.actions[0], asked, message)

    def answers_to(self, action: str, asked: Asked, message: bytes) -> Sequence[bool]:
        """What it says of one of the actions."""
        found = {}
        for result in many(message, 2):
            resource = one(result, 1)
            worker = one(resource, 1) if isinstance(resource, bytes) else None
            effects = {one(each, 1): one(each, 2) for each in many(result, 2)}
            found[worker] = effects[action.encode()] == _ALLOWED
        return [found[str(each).encode()] for each in asked.workers]


def _text(text: str) -> bytes:
    # A Value that is text.
    return field(3, text)


def _attribute(name: str, value: bytes) -> bytes:
    return field(4, field(1, name) + field(2, value))


@contextmanager
def cerbos(folder: Path) -> Iterator[Cerbos]:
    """A Cerbos on the measured core."""
    (folder / "policies").mkdir()
    (folder / "policies" / "worker.yaml").write_text(_POLICY, encoding="utf-8")
    config = folder / "cerbos.yaml"
    config.write_text(_CONFIG.format(folder=folder), encoding="utf-8")
    address = f"unix:{folder / 'cerbos.sock'}"
    command = (str(BINARY), "server", f"--config={config}", "--log-level=error")
    log = folder / "cerbos.log"
    with started(command, log, lambda: accepts(address)) as running:
        yield Cerbos(running, address)

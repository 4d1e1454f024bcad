"""The program `authz-sidecar`: its commands, and how each of them ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, runtime_checkable

import typer

from sidecar.command import checks, lookups
from sidecar.command.health import Health
from sidecar.command.options import Connection
from sidecar.command.question import Question, put
from sidecar.command.running import Dev, Import, Migrate, Serve
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.watch import Watch
from sidecar.command.words import plain
from sidecar.settings import SettingsError
from sidecar.store.document import DocumentError
from sidecar.store.errors import StoreError
from sidecar.store.migrate import MigrationError
from sidecar.transport.listener import ListenerError

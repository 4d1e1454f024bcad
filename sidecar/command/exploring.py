"""The commands that ask about everybody, or about everything that a user may do.

They need the database and no server. What they need is imported when they run, so
that other commands do not wait for it.
"""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from typing_extensions import override

from sidecar.command.problems import OptionError
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sidecar.service.exploring import Question
    from sidecar.settings import Settings

T = TypeVar("T")

Kind = Annotated[str, typer.Argument(help="As declared in the settings.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Of the row.")]


class Context(StrEnum):
    """The rule contexts, as they are written on the command line."""

    DATA = "DATA"
    UI = "UI"
    RESOURCE = "RESOURCE"


class Operation(StrEnum):
    """The operations, as they are written on the command line."""

    VIEW = "view"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Level(StrEnum):
    """The levels that can be demanded."""

    MY = "my"
    GROUP = "group"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Exploring(Configured):
    """How much is looked at, and how it is printed."""

    max_candidates: Annotated[
        int, typer.Option(min=1, help="Contexts of users tried at most.")
    ] = 100_000
    json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON, one document to a line, as found."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class WhoCan(Exploring, ABC):
    """Whom to find, and how many of them."""

    org: Annotated[
        str | None,
        typer.Option(help="Only who acts in this organization, or needs none."),
    ] = None
    limit: Annotated[int, typer.Option(min=1, help="Results at most.")] = 100

    @abstractmethod
    def question(self) -> "Question":
        """What must hold; raises OptionError when the options do not say it."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The question for people."""

    def run(self, screen: Screen) -> ExitCode:
        """Prints each user and context as found: 0 some, 1 nobody, 2 cut short."""
        from sidecar.command.findings import Allowances  # noqa: PLC0415  see above
        from sidecar.service.ways import Tally  # noqa: PLC0415
        from sidecar.tools import exploring  # noqa: PLC0415

        tally = Tally(self.limit, self.max_candidates)
        page = Allowances(screen, is_json=self.json)
        question = self.question()
        page.begin(self.words)
        malformed = _done(
            self,
            lambda settings: exploring.who_can(
                settings, question, self.org, tally, page.show
            ),
        )
        return page.end(tally, malformed.count)


@dataclass(frozen=True, kw_only=True)
class WhoCanSee(WhoCan):
    """Who can see this row, in which context, and why?

    For example: authz-sidecar who-can see cluster 7
    """

    kind: Kind
    id: Id

    @override
    def question(self) -> "Question":
        from sidecar.core.authorize import (  # noqa: PLC0415  see above
            MustBeVisible,
            NamedResource,
        )
        from sidecar.core.ids import ResourceId  # noqa: PLC0415

        return MustBeVisible(NamedResource(self.kind, ResourceId(self.id)))

    @property
    @override
    def words(self) -> str:
        return f"who can see {self.kind} {self.id}?"


@dataclass(frozen=True, kw_only=True)
class WhoCanWrite(WhoCan):
    """Who can change this row, in which context, and why?

    For example: authz-sidecar who-can write cluster 7
    """

    kind: Kind
    id: Id

    @override
    def question(self) -> "Question":
        from sidecar.core.authorize import (  # noqa: PLC0415  see above
            MustBeWritable,
            NamedResource,
        )
        from sidecar.core.ids import ResourceId  # noqa: PLC0415

        named = NamedResource(self.kind, ResourceId(self.id))
        return MustBeWritable(named, skip_visible=False)

    @property
    @override
    def words(self) -> str:
        return f"who can change {self.kind} {self.id}?"


@dataclass(frozen=True, kw_only=True)
class WhoCanHold(WhoCan):
    """Whose roles reach this permission, and in which context?

    For example: authz-sidecar who-can hold data.Dataset --operation update
    --at-least group --org 1
    """

    item: Annotated[
        str | None, typer.Argument(help="Without one, only generic rules match.")
    ] = None
    context: Annotated[Context, typer.Option(help="The rule context.")] = Context.DATA
    operation: Annotated[
        Operation, typer.Option(help="What is to be done with the item.")
    ] = Operation.VIEW
    at_least: Annotated[
        Level | None, typer.Option(help="The least level; my unless it is said.")
    ] = None
    instance: Annotated[
        str | None, typer.Option(help="A feature instance; needs --org.")
    ] = None

    @override
    def question(self) -> "Question":
        from sidecar.core import model  # noqa: PLC0415  see above
        from sidecar.core.authorize import MustPermit  # noqa: PLC0415
        from sidecar.core.ids import FeatureInstanceId  # noqa: PLC0415
        from sidecar.core.permissions import PermissionQuery  # noqa: PLC0415

        self._refuse()
        instance = None if self.instance is None else FeatureInstanceId(self.instance)
        context = model.RuleContext(self.context.value)
        least = Level.MY if self.at_least is None else self.at_least
        return MustPermit(
            PermissionQuery(context, self.item, instance),
            model.Operation(self.operation.value),
            model.AccessLevel[least.name],
        )

    @property
    @override
    def words(self) -> str:
        item = "anything, generically" if self.item is None else self.item
        level = "" if self.at_least is None else f" at least {self.at_least.value}"
        instance = "" if self.instance is None else f" with instance {self.instance}"
        return (
            f"who can {self.operation.value}{level} {item} "
            f"({self.context.value}{instance})?"
        )

    def _refuse(self) -> None:
        is_view = self.operation is Operation.VIEW
        if self.instance is not None and self.org is None:
            raise OptionError("--instance needs --org, the organization that it is in")
        if self.item is not None and "" in self.item.split("."):
            raise OptionError(f"item `{self.item}` has an empty segment")
        if is_view and self.at_least is not None:
            raise OptionError("--at-least is for levels, and view has none")
        if not is_view and self.context is not Context.DATA:
            raise OptionError(
                f"in {self.context.value} there is view only, "
                f"not `{self.operation.value}`"
            )


@dataclass(frozen=True, kw_only=True)
class AccessOfUser(Exploring):
    """What may this user do, everywhere, and by which grant or role?

    For example: authz-sidecar access-of user 12 --rows 5
    """

    id: Annotated[str, typer.Argument(metavar="ID", help="Of the user.")]
    rows: Annotated[
        int, typer.Option(min=0, help="Rows of each kind to name; 0 counts only.")
    ] = 0
    limit: Annotated[int, typer.Option(min=1, help="Results at most.")] = 1_000

    def run(self, screen: Screen) -> ExitCode:
        """Prints each context and what it allows: 1 for nobody, 2 cut short."""
        from sidecar.command.findings import Accesses  # noqa: PLC0415  see above
        from sidecar.service.ways import Tally  # noqa: PLC0415
        from sidecar.tools import exploring  # noqa: PLC0415

        tally = Tally(self.limit, self.max_candidates)
        page = Accesses(screen, is_json=self.json)
        malformed = _done(
            self,
            lambda settings: exploring.access_of(
                settings, self.id, tally, page.show, listed=self.rows
            ),
        )
        return page.end(tally, malformed.count)


def _done(
    options: Configured, work: "Callable[[Settings], Coroutine[None, None, T]]"
) -> T:
    from sidecar.ports import CouldNotDecideError  # noqa: PLC0415  see above
    from sidecar.settings import SettingsError, load  # noqa: PLC0415
    from sidecar.store.errors import StoreError  # noqa: PLC0415
    from sidecar.tools.exploring import NotAskableError  # noqa: PLC0415

    try:
        return asyncio.run(work(load(options.config)))
    except (SettingsError, StoreError, CouldNotDecideError, NotAskableError) as error:
        raise OptionError(str(error)) from error

"""A question that is not awaited yet, which nobody can take for `True` by accident."""

import asyncio
import inspect
import sys
from collections.abc import Callable, Coroutine, Generator
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar, cast

from typing_extensions import override

P = ParamSpec("P")
A = TypeVar("A")


def pending(
    ask: Callable[P, Coroutine[object, object, A]],
) -> Callable[P, Coroutine[object, object, A]]:
    """The same question, whose coroutine refuses to be a condition.

    It is declared as any coroutine, of which mypy tells when its `await` is missing.
    """

    @wraps(ask)
    def put(*args: P.args, **kwargs: P.kwargs) -> Coroutine[object, object, A]:
        return Pending(ask(*args, **kwargs))

    _mark(put)
    return put


class Pending(Coroutine[object, object, A]):
    """A coroutine without a truth value; whatever takes a coroutine takes it too."""

    __slots__ = ("_asking",)

    def __init__(self, asking: Coroutine[object, object, A]) -> None:
        self._asking = asking

    def __bool__(self) -> bool:
        # Since 3.12 asyncio looks whether a task has one when it describes the task.
        asker = sys._getframe(1).f_globals.get("__name__")  # noqa: SLF001  no other way
        if asker == "asyncio.base_tasks":
            return True
        # Every coroutine is true by default, and before `await` nobody is asked.
        raise TypeError(
            "a question without its answer is neither true nor false: `await` it first"
        )

    @property
    def __name__(self) -> str:
        """The question's; tasks are described by it."""
        return str(getattr(self._asking, "__name__", "question"))

    @override
    def __repr__(self) -> str:
        return f"<pending {self._asking!r}>"

    @override
    def __await__(self) -> Generator[object, object, A]:
        return self._asking.__await__()

    @override
    def send(self, value: object, /) -> object:
        return self._asking.send(value)

    @override
    def throw(
        self,
        typ: BaseException | type[BaseException],
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> object:
        # Python warns of more than one argument.
        if val is None and tb is None:
            return self._asking.throw(typ)
        return self._asking.throw(cast("type[BaseException]", typ), val, tb)

    @override
    def close(self) -> None:
        self._asking.close()


def _mark(function: Callable[P, object]) -> None:
    # Doubles of a client, such as `AsyncMock(spec=AsyncClient)`, look at this to know
    # what is awaited.
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(function)
    else:
        vars(function)["_is_coroutine"] = vars(asyncio.coroutines)["_is_coroutine"]

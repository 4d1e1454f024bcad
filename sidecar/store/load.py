"""One reading of facts under way, and what changed meanwhile."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from sidecar.ports import FactKey, Facts, FactsUnavailableError
from sidecar.store.dependencies import FOUND, Tag, tags, told_tags

T = TypeVar("T")


class Load(Generic[T]):
    """Reads facts for all who wait for them, whoever of them goes away.

    Afterwards it has either `facts`, by the identities of `keys`, or an `error`.
    """

    def __init__(
        self,
        keys: Mapping[Hashable, FactKey[T]],
        loader: Facts,
        done: "Callable[[Load[T]], None]",
    ) -> None:
        """`keys`: at least one, all of one type. `done` is called once, at the end."""
        self.keys = keys
        self.facts: dict[Hashable, T] = {}
        self.error: Exception | None = None
        self.is_spoilt = False
        self._found = FOUND[type(next(iter(keys.values())))]
        self._told = {identity: told_tags(key) for identity, key in keys.items()}
        self._changes: set[Tag] = set()
        self.task = asyncio.create_task(self._run(loader, done))

    def note(self, group: str, key: str) -> set[Hashable]:
        """Takes down a change; the identities of the facts that it may alter."""
        self._changes.update(((group, key), (group, None)))
        if group in self._found:
            return set(self.keys)
        change = (group, key)
        return {identity for identity, told in self._told.items() if change in told}

    def is_current(self, identity: Hashable) -> bool:
        """Whether nothing came since it began that alters this fact."""
        if self.is_spoilt:
            return False
        key, fact = self.keys[identity], self.facts[identity]
        return not self._changes or self._changes.isdisjoint(tags(key, fact))

    async def _run(self, loader: Facts, done: "Callable[[Load[T]], None]") -> None:
        try:
            facts = await loader.get_all(list(self.keys.values()))
            self.facts = dict(zip(self.keys, facts, strict=True))
        except asyncio.CancelledError:
            self.error = FactsUnavailableError("the store is closing")
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            self.error = error
        finally:
            done(self)

"""All that checks credentials, between start and close."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from sidecar.identity.access_tokens import AccessTokens, Issuer
from sidecar.identity.api_keys import ApiKeys
from sidecar.identity.work import Work
from sidecar.ports import Clock, Verifiers


@dataclass(frozen=True, slots=True)
class Identity:
    """Who checks credentials, and what that has cost."""

    api_keys: ApiKeys
    tokens: AccessTokens
    work: Work

    @classmethod
    async def start(
        cls,
        issuers: Collection[Issuer],
        prefixes: Collection[str],
        most_bytes: int,
        clock: Clock,
    ) -> Self:
        """Reads the keys of issuers; that some cannot be read is no error.

        `prefixes` are of the API keys that are accepted, all when there are none;
        `most_bytes` is how long a token may be.
        """
        work = Work()
        tokens = AccessTokens(issuers, clock, work, most_bytes)
        await tokens.start()
        return cls(ApiKeys(clock, work, prefixes), tokens, work)

    @property
    def verifiers(self) -> Verifiers:
        """Who checks which kind of credential."""
        return Verifiers(self.api_keys, self.tokens)

    async def close(self) -> None:
        """Reads no more keys, and ends the threads that hash."""
        await self.tokens.close()
        self.api_keys.close()

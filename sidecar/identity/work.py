"""How much work credentials cost: counted, so that it can be told and tested."""

from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """Operations since the start.

    `hashes` and `slow_hashes` compare a secret with a stored hash (SHA-256,
    argon2), `signatures` checks one of a token, `digests` looks a credential up
    among those that were verified a moment ago.
    """

    hashes: int = 0
    slow_hashes: int = 0
    signatures: int = 0
    digests: int = 0

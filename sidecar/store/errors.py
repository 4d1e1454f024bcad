"""How the store can fail to start."""


class StoreError(Exception):
    """The database cannot serve as a store; the message says what to do."""

"""What a command cannot do, for people."""


class OptionError(Exception):
    """The options do not make a question; says why in one line."""

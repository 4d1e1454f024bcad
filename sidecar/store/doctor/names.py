"""SQL as the database writes it in a plan, taken apart: names, and who has them."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_TOKEN: Final = re.compile(
    r"E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$]*|\$\w*\$.*?\$\w*\$|.',
    re.DOTALL,
)
_WORD: Final = re.compile(r"[A-Za-z_\u0080-\uffff][\w$]*")


def names_in(text: str) -> frozenset[str]:
    """Every name in a piece of SQL, folded as the database folds it."""
    return frozenset(
        name for token in _TOKEN.findall(text) if (name := _name(token)) is not None
    )


def columns_in(text: str, aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The table and column of each `alias.column`; `aliases` from alias to table."""
    tokens = _TOKEN.findall(text)
    for alias, dot, column in zip(tokens, tokens[1:], tokens[2:], strict=False):
        table = aliases.get(_name(alias) or "")
        name = _name(column)
        if dot == "." and table is not None and name is not None:
            yield table, name


def without_alias(text: str, alias: str) -> str:
    """The text with each `alias.column` as the column alone."""
    kept: list[str] = []
    tokens = _TOKEN.findall(text)
    position = 0
    while position < len(tokens):
        if tokens[position + 1 : position + 2] == ["."] and (
            _name(tokens[position]) == alias
        ):
            position += 2
            continue
        kept.append(tokens[position])
        position += 1
    return "".join(kept)


def is_name(text: str) -> bool:
    """Whether the text is one name and nothing else."""
    return len(_TOKEN.findall(text)) == 1 and _name(text) is not None


def _name(token: str) -> str | None:
    if token.startswith('"'):
        return token[1:-1].replace('""', '"')
    return token.lower() if _WORD.fullmatch(token) else None

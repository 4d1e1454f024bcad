"""The pages of the repository: their links, and the anchors that they have."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
_PARSER: Final = MarkdownIt("commonmark").enable("table")
_HTML_ANCHOR: Final = re.compile(r"""<a\s+(?:id|name)=["']([^"']+)""")


@dataclass(frozen=True)
class Link:
    """Where a page leads to, as it is written."""

    page: Path
    target: str


def pages() -> list[Path]:
    """Every page that is in the repository, or is about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [path for name in listed.splitlines() if (path := ROOT / name).exists()]


def links(page: Path) -> list[Link]:
    """Its links and pictures, but those out of the repository."""
    found = [
        str(token.attrs.get("href") or token.attrs.get("src"))
        for token in _inside(page)
        if token.type in {"link_open", "image"}
    ]
    return [Link(page, target) for target in found if not urlsplit(target).scheme]


def is_broken(link: Link) -> bool:
    """Whether a link leads to no file, or to no heading of a page."""
    parts = urlsplit(link.target)
    path = unquote(parts.path)
    target = (link.page.parent / path).resolve() if path else link.page
    if not target.exists():
        return True
    return bool(parts.fragment) and parts.fragment not in anchors(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """What can stand behind `#`, as GitHub makes it of headings."""
    if page.suffix != ".md":
        return frozenset()
    seen = Counter[str]()
    found = set(_HTML_ANCHOR.findall(page.read_text(encoding="utf-8")))
    for title in _titles(page):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return frozenset(found)


def _titles(page: Path) -> Iterator[str]:
    tokens = _PARSER.parse(page.read_text(encoding="utf-8"))
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            children = inline.children or []
            yield "".join(each.content for each in children)


def _inside(page: Path) -> Iterator[Token]:
    for token in _PARSER.parse(page.read_text(encoding="utf-8")):
        yield from token.children or ()

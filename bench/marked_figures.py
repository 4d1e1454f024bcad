"""Figures on a page of the docs, between the marks of the program that wrote them."""

from pathlib import Path


def write_figures(page: Path, program: str, figures: str) -> None:
    """Puts figures in the place of the old ones.

    Raises ValueError when the page has no place for this program.
    """
    begin = f"<!-- figures of {program} -->\n"
    before, found, rest = page.read_text().partition(begin)
    end = "<!-- end of the figures -->\n"
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"`{page.name}` has no place for the figures of `{program}`")
    page.write_text(f"{before}{begin}\n{figures}\n{end}{after}")

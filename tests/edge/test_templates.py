from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.edge.templates import (
    Overlap,
    Parameter,
    Rest,
    Segment,
    Template,
    TemplateError,
    overlap,
    parse_template,
)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("/", ("",)),
        ("/v2/clusters", ("v2", "clusters")),
        ("/v2/clusters/", ("v2", "clusters", "")),
        ("/v2/{cluster_id}", ("v2", Parameter("cluster_id"))),
        ("/{a}/{b2}/x", (Parameter("a"), Parameter("b2"), "x")),
        ("/ui/{rest...}", ("ui", Rest("rest"))),
    ],
)
def test_reads_templates(text: str, segments: tuple[Segment, ...]) -> None:
    """A template is segments, of which some are parameters and the last may be all."""
    assert segments == parse_template(text).segments


@pytest.mark.parametrize(
    "text",
    [
        "", "v2", "/a//b", "/a/../b", "/%41", "/a%20b", "/a?b", "/a#b", "/a;b", "/ä",
        "/{a}{b}", "/x{a}", "/{a}x", "/{a", "/a}", "/{}", "/{A}", "/{1a}", "/{a}/{a}",
        "/{a...}/b", "/{a..}", "/{a-b}", "/a b",
    ],
)  # fmt: skip
def test_refuses_templates_that_no_canonical_path_fits(text: str) -> None:
    """A template is a canonical path itself, and a parameter a whole segment."""
    with pytest.raises(TemplateError):
        parse_template(text)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("/a", "/b", Overlap.NONE),
        ("/a", "/a/", Overlap.NONE),
        ("/a/{x}", "/a/", Overlap.NONE),
        ("/a", "/a/{rest...}", Overlap.NONE),
        ("/a", "/a", Overlap.AMBIGUOUS),
        ("/{x}", "/{y}", Overlap.AMBIGUOUS),
        ("/a/{x}", "/a/b", Overlap.NESTED),
        ("/a/{x}", "/{y}/b", Overlap.AMBIGUOUS),
        ("/a/{rest...}", "/a/{x}", Overlap.NESTED),
        ("/a/{rest...}", "/{x}/b", Overlap.AMBIGUOUS),
        ("/{rest...}", "/a/{x}/c", Overlap.NESTED),
        ("/{a...}", "/{b...}", Overlap.AMBIGUOUS),
        ("/a/", "/a/{rest...}", Overlap.NESTED),
    ],
)
def test_says_how_templates_overlap(one: str, other: str, wanted: Overlap) -> None:
    """Two templates are apart, nested, or such that neither is closer."""
    assert wanted is overlap(parse_template(one), parse_template(other))
    assert wanted is overlap(parse_template(other), parse_template(one))


_FIRST: list[Segment] = ["a", "b", Parameter("p")]
_LAST: list[Segment] = [*_FIRST, "", Rest("r")]


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """A template over very few words, so that pairs often meet."""
    segments = draw(st.lists(st.sampled_from(_FIRST), max_size=3))
    segments.append(draw(st.sampled_from(_LAST)))
    return Template("/".join(map(str, segments)), tuple(segments))


_PATHS = [path for length in range(1, 6) for path in product("ab", repeat=length)]
_PATHS += [(*path[:-1], "") for path in _PATHS]


def fits(template: Template, path: tuple[str, ...]) -> bool:
    """Whether a path fits, the slow way."""
    for place, wanted in enumerate(template.segments):
        if isinstance(wanted, Rest):
            return place < len(path)
        if place >= len(path):
            return False
        if isinstance(wanted, Parameter):
            if not path[place]:
                return False
        elif path[place] != wanted:
            return False
    return len(path) == len(template.segments)


@given(templates(), templates())
def test_overlap_is_that_of_the_paths(one: Template, other: Template) -> None:
    """What is said of two templates is true of the sets of paths that fit them."""
    mine = {path for path in _PATHS if fits(one, path)}
    theirs = {path for path in _PATHS if fits(other, path)}
    wanted = Overlap.AMBIGUOUS
    if not mine & theirs:
        wanted = Overlap.NONE
    elif mine < theirs or theirs < mine:
        wanted = Overlap.NESTED

    assert wanted is overlap(one, other)

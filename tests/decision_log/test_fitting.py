"""What is too long is cut, denials last, and the record says so."""

import json
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.audit.fitting import fitted, trimmed
from sidecar.audit.record import Json, Record, encoded
from tests.decision_log.making import record

LEAST = 4_096
# Whatever JSON writes in six characters, too.
TEXTS = st.text(max_size=40) | st.integers(1, 3_000).map(lambda size: "\x01" * size)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=40) | st.dictionaries(st.sampled_from("abcdef"), inner)
    ),
    max_leaves=20,
)
PARTS = st.fixed_dictionaries(
    {
        "caller": st.dictionaries(st.sampled_from(["user_id", "api_key"]), VALUES),
        "context": st.none() | st.dictionaries(st.just("user_id"), VALUES),
        "question": st.fixed_dictionaries({"resources": st.lists(VALUES)}),
        "answer": st.lists(st.fixed_dictionaries({"allowed": st.booleans()})),
    }
)


def _asked(denied: set[int], count: int) -> Record:
    resources: list[Json] = [{"kind": "k", "id": str(n)} for n in range(count)]
    answer: list[Json] = [{"allowed": n not in denied} for n in range(count)]
    return record(question={"resources": resources}, answer=answer)


def _pairs(found: Record) -> list[tuple[str, bool]]:
    question = cast("dict[str, list[dict[str, str]]]", found["question"])
    answer = cast("list[dict[str, bool]]", found["answer"])
    return [
        (row["id"], each["allowed"])
        for row, each in zip(question["resources"], answer, strict=True)
    ]


def test_denials_are_kept_before_all_others() -> None:
    """Of a thousand elements the denied stay, and others in their order as they fit."""
    denied = {7, 500, 998}

    found = fitted(_asked(denied, 1_000), LEAST)

    kept = _pairs(found)
    assert denied == {int(number) for number, allowed in kept if not allowed}
    assert [str(n) for n in range(20)] == [number for number, _ in kept[:20]]
    note = {"of": 1_000, "kept": len(kept), "denied": 3}
    assert {"resources": note} == found["truncated"]


def test_each_element_keeps_its_own_answer() -> None:
    """Where not even all denials fit, what is kept still belongs together."""
    found = fitted(_asked(set(range(0, 1_000, 2)), 1_000), LEAST)

    assert {(n, int(n) % 2 == 1) for n, _ in _pairs(found)} == set(_pairs(found))


def test_unanswered_question_is_cut_from_its_end() -> None:
    """A question without answers keeps its first elements."""
    whole = {**_asked(set(), 1_000), "answer": []}

    found = fitted(whole, LEAST)

    question = cast("dict[str, list[dict[str, str]]]", found["question"])
    kept = [each["id"] for each in question["resources"]]
    assert [str(n) for n in range(len(kept))] == kept
    assert {"resources": {"of": 1_000, "kept": len(kept)}} == found["truncated"]


@settings(max_examples=40, deadline=None)
@given(PARTS, st.integers(LEAST, 20_000))
def test_every_record_fits(parts: dict[str, object], most: int) -> None:
    """Whatever a call says, its record has no more bytes than it may."""
    found = fitted(record(**parts), most)

    assert len(encoded(found)) <= most
    assert "7b90bc1c1661-1" == json.loads(encoded(found))["decision_id"]


@settings(max_examples=40, deadline=None)
@given(PARTS, st.integers(LEAST, 20_000))
def test_what_is_cut_is_told(parts: dict[str, object], most: int) -> None:
    """A record that lacks something says so, and one that is whole does not."""
    whole = record(**parts)

    found = fitted(whole, most)

    rest = {name: each for name, each in found.items() if name != "truncated"}
    assert ("truncated" in found) is (rest != whole)


@pytest.mark.parametrize("size", [1_024, 1_025])
def test_longest_texts_are_trimmed_first(size: int) -> None:
    """No field that is valid is as long as what is cut off before anything else."""
    found = trimmed(record(caller={"user_id": "u" * size}))

    assert {"user_id": "u" * 1_024} == found["caller"]
    note = {"user_id": {"of": size, "kept": 1_024}}
    assert found.get("truncated") == (note if size > 1_024 else None)

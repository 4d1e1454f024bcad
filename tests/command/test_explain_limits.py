"""`explain` where the log has not all, or the server does not serve all."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from typing_extensions import override

from sidecar.command.client import Client
from sidecar.command.explain_answer import ask_again
from sidecar.command.explain_history import Course, between
from sidecar.command.explain_question import CannotAskAgainError, again_of
from sidecar.command.failures import CallFailedError
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.tools.decision_records import Record
from tests.command.explaining import ANNS_KEY, Explained, Scene, logging
from tests.store.stewarding import Worlds

R = TypeVar("R", bound=Message)
ANN: Final = {"user_id": "10", "organization_id": "1"}
FORTY: Final = [{"kind": "cluster", "id": str(number)} for number in range(20, 60)]
NO_GRANT: Final = (
    "delete from authz.cluster_access where cluster_id = 51",
    "insert into authz.cluster_access (cluster_id, principal_id) values (51, 1)",
)
NO_KEY: Final = (
    "update authz.api_keys set revoked_at = now() where id = 60",
    "update authz.api_keys set revoked_at = null where id = 60",
)


def record(**fields: object) -> Record:
    """A record about clusters 1 and 2, as it would be read."""
    written = {
        "decision_id": "a-1",
        "rpc": "CheckVisible",
        "outcome": "allowed",
        "code": "OK",
        "caller": ANN,
        "question": {"resources": [{"kind": "cluster", "id": "1"}]},
        "answer": [{"allowed": True, "denial": None, "reason": "OWNED"}],
        "masked": [],
        **fields,
    }
    return Record(json.loads(json.dumps(written)))


MASK: Final = "<masked:0123456789abcdef>"
KEY: Final = {"api_key": "<masked>", "organization_id": "1"}
PROVED: Final = {"user_id": "10", "pinned_principal_id": None}
HALF: Final = {"of": 9, "kept": 1, "denied": 1}
# What a record has, and what is said of it.
LACKS: Final[list[tuple[dict[str, object], str]]] = [
    (
        {"question": {"resources": [{"kind": "cluster", "id": MASK}]}},
        "`question.resources[0].id` is masked",
    ),
    ({"caller": {"user_id": MASK}}, "`caller.user_id` is masked"),
    (
        {"caller": {**KEY, "organization_id": MASK}, "proved": PROVED},
        "`caller.organization_id` is masked",
    ),
    (
        {"caller": KEY, "proved": {"user_id": MASK}},
        "`proved.user_id` is masked",
    ),
    (
        {"caller": KEY, "proved": {**PROVED, "pinned_principal_id": MASK}},
        "`proved.pinned_principal_id` is masked",
    ),
    ({"caller": KEY, "proved": None}, "credential proved nobody"),
    ({"caller": {}}, "the log does not say who asked"),
    ({"truncated": {"question": {"of": 9, "kept": 0}}}, "`question` was too long"),
    ({"truncated": {"id": {"of": 999, "kept": 64}}}, "`id` was too long"),
    ({"rpc": "Watch"}, "`Watch` is no call"),
    ({"question": {"resources": [{"kin": "x"}]}}, "the question is not understood"),
]


@pytest.mark.parametrize(("fields", "problem"), LACKS)
def test_refuses_what_would_be_another_question(
    fields: dict[str, object], problem: str
) -> None:
    """Nothing is asked in place of a question that the log does not have."""
    with pytest.raises(CannotAskAgainError) as caught:
        again_of(record(**fields))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "caller"),
    [
        ({"caller": ANN}, ANN),
        ({"caller": KEY, "proved": PROVED}, ANN),
        (
            {"caller": KEY, "proved": {**PROVED, "pinned_principal_id": "1"}},
            {**ANN, "pinned_principal_id": "1"},
        ),
        (
            {"caller": {"subject": {"subject": MASK}}, "proved": PROVED},
            {"user_id": "10"},
        ),
    ],
)
def test_names_whom_the_caller_was(
    fields: dict[str, object], caller: dict[str, str]
) -> None:
    """By its own name, or as whom a credential proved, with the pin that it had."""
    asked = again_of(record(**fields)).caller

    named = {field.name: value for field, value in asked.ListFields()}
    assert caller == named


class _Unexplaining(Client):
    """A server that does not explain, and says so as ours does."""

    def __init__(self) -> None:
        self.asked: list[Message] = []

    @override
    def ask(self, rpc: str, request: Message, answer: type[R]) -> R:
        self.asked.append(request)
        if getattr(request, "explain"):  # noqa: B009  a field of some requests
            raise CallFailedError(
                grpc.StatusCode.UNIMPLEMENTED,
                "this listener does not explain",
                "NOT_SERVED_HERE",
                {"explain": "this listener does not explain"},
            )
        response = answer()
        response.MergeFromString(b"\n\x04\x08\x01\x18\x01")
        return response


def test_asks_a_listener_that_does_not_explain() -> None:
    """The answers are compared all the same."""
    client = _Unexplaining()
    now, compared = ask_again(client, again_of(record()), {})

    assert (False, 2) == (now.explains, len(client.asked))
    assert [True] == [each.is_same for each in compared]


@pytest.mark.parametrize(
    ("then", "now", "course"),
    [
        ("1.a-1.1.s7", "1.a-1.1.s7", Course.UNMOVED),
        ("1.a-1.1.s7", "1.a-1.1.s10", Course.MOVED),
        ("1.a-1.1.s10", "1.a-1.1.s9", Course.BEHIND),
        ("1.a-1.1.s7", "1.a-1.2.s7", Course.OTHER),
        (None, "1.a-1.1.s7", Course.UNKNOWN),
        ("1.a-1.1.s7", "", Course.UNKNOWN),
        ("1.a-1.1.x7", "1.a-1.1.s7", Course.UNKNOWN),
    ],
)
def test_reads_the_course_of_history(
    then: str | None, now: str | None, course: Course
) -> None:
    """Revisions of one history are compared by their numbers, and others not at all."""
    assert course is between(then, now).course


async def test_explains_twenty_of_those_that_differ(scene: Scene) -> None:
    """Of a long question what changed is explained, wherever it stands."""
    decision = await scene.ask("CheckVisible", {"caller": ANN, "resources": FORTY})
    async with scene.changed(*NO_GRANT):
        told = await scene.compared(decision)
    same = await scene.compared(decision)

    assert (1, ["cluster/51"]) == (told["changed"], explained(told))
    assert (0, 20) == (same["changed"], len(explained(same)))


def explained(document: dict[str, object]) -> list[str]:
    """The questions whose answer of now is explained."""
    answers = document["answers"]
    assert isinstance(answers, list)
    return [each["question"] for each in answers if "explanation" in each["now"]]


async def test_names_whom_a_key_proved(scene: Scene) -> None:
    """A key that was revoked since is not noticed, and that is said."""
    asked = {"caller": {"api_key": ANNS_KEY}, "resources": FORTY[31:32]}
    decision = await scene.ask("CheckVisible", asked)
    async with scene.changed(*NO_KEY):
        told = await scene.compared(decision)

    assert {"user_id": "10", "pinned_principal_id": "1"} == told["caller"]
    assert (0, True) == (told["code"], told["same"])
    notes = told["notes"]
    assert isinstance(notes, list)
    assert "whether that is good still is not asked" in notes[-1]


async def test_a_filter_is_compared_as_a_whole(scene: Scene) -> None:
    """With the SQL that was asked for."""
    sql = {
        "columns": [
            {"field": "OWNER_PRINCIPAL_ID", "column": "c.owner"},
            {"field": "ID", "column": "c.id"},
        ],
        "placeholder_style": "DOLLAR",
    }
    decision = await scene.ask(
        "GetListFilter", {"caller": ANN, "kind": "cluster", "sql": sql}
    )
    same = await scene.compared(decision)
    async with scene.changed(*NO_GRANT):
        told = await scene.compared(decision)

    assert (0, 1) == (same["code"], told["code"])


@pytest.mark.parametrize(
    ("decision_id", "more", "problem"),
    [
        ("none-1", (), "error: no decision `none-1` in the log: "),
        ("a..b", (), "error: `a..b` is no decision's id\n"),
        ("none-1", ("--log", "/nowhere/log"), "error: cannot read `/nowhere/log`: "),
    ],
)
async def test_says_that_there_is_no_such_decision(
    scene: Scene, decision_id: str, more: tuple[str, ...], problem: str
) -> None:
    """What is not found is no answer."""
    await scene.ask("ResolveContext", {"caller": ANN})
    code, out, err = await scene.explain(decision_id, *more)

    assert (2, "") == (code, out)
    assert err.startswith(problem)


async def test_a_server_that_is_not_there_is_no_answer(scene: Scene) -> None:
    """Could not ask is neither the same nor another answer."""
    decision = await scene.ask("ResolveContext", {"caller": ANN})
    code, out, err = await scene.explain(decision, "--address", "unix:/nowhere/sock")

    assert (2, "") == (code, out)
    assert err.startswith("error: cannot reach the server")


async def test_finds_what_was_rotated_away(scene: Scene, tmp_path: Path) -> None:
    """In an archive beside a log that has gone on, behind a line that is torn."""
    decision = await scene.ask("ResolveContext", {"caller": ANN})
    log = tmp_path / "decisions.log"
    log.write_bytes(b'{"v":1,"time":"20')
    packed = gzip.compress(b'{"v":1,"ti' + scene.log.read_bytes())
    log.with_name("decisions.log.1.gz").write_bytes(packed)
    told = await scene.compared(decision, "--log", str(log))

    assert (0, decision) == (told["code"], told["decision_id"])


@pytest.fixture(scope="module")
async def cutting(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Explained]:
    """A sidecar whose records are short."""
    url = await Worlds(postgres, "explained_short").new()
    short = {"record_bytes": 4096, "file_bytes": 1_000_000}
    folder = tmp_path_factory.mktemp("short")
    async with logging(url, folder, **short) as running:
        yield running


async def test_asks_what_the_log_has_of_a_long_question(
    cutting: Explained, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was denied then is there, and that it is not all is said."""
    scene = Scene(*cutting, capsys)
    many = [{"kind": "cluster", "id": str(number)} for number in range(20, 220)]
    decision = await scene.ask("CheckVisible", {"caller": ANN, "resources": many})
    told = await scene.compared(decision)
    code, out, err = await scene.explain(f"{decision}.1")

    answers, notes = told["answers"], told["notes"]
    assert isinstance(answers, list)
    assert isinstance(notes, list)
    assert (0, True) == (told["code"], 20 < len(answers) < 200)
    assert "the log has not all that was asked" in notes[-1]
    assert (2, "") == (code, out)
    assert "which of its elements the log has is not known" in err

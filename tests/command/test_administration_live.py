"""Every verb of administration, seen by a running sidecar at its next answers."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.command.program import main
from sidecar.store.embedded import EmbeddedPostgres
from tests.store.stewarding import Worlds
from tests.support.serving import Serving, Stage

NOT_A_MEMBER = [{"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"}]
NOTHING = {
    "view": False,
    "read": "NONE",
    "create": "NONE",
    "update": "NONE",
    "delete": "NONE",
}


@dataclass(frozen=True)
class Scene:
    """A sidecar over a small world, and the command line beside it."""

    config: Path
    serving: Serving
    capsys: pytest.CaptureFixture[str]

    async def run(self, line: str) -> str:
        """What a command that succeeds prints to stdout."""
        self.capsys.readouterr()  # what the sidecar logs so far
        arguments = [*line.split(), "--config", str(self.config)]
        code = await asyncio.to_thread(main, arguments)
        out, err = self.capsys.readouterr()
        assert 0 == code, err
        return out

    async def until(
        self, call: str, request: dict[str, object], wanted: object
    ) -> None:
        """Asks until the answer is as wanted.

        What is in memory is forgotten when it changes and not by time, so an answer
        that comes to be right was made so by the change.
        """
        actual: object = None
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                while actual != wanted:
                    answer = await self.serving.ask("native", call, request)
                    actual = next(
                        (answer[each] for each in ANSWERS if each in answer), answer
                    )
        assert wanted == actual


@pytest.fixture(scope="module")
def worlds(postgres: EmbeddedPostgres) -> Worlds:
    """Databases with the world of tests/store/steward.sql."""
    return Worlds(postgres, "administered")


@pytest.fixture
async def scene(
    worlds: Worlds,
    stage: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Scene:
    """A running sidecar over such a database."""
    url = await worlds.new()
    config = tmp_path / "sidecar.yaml"
    config.write_text(
        f"database: {{url: '{url}'}}\n"
        "resource_kinds: {cluster: {visibility: CLUSTER}}\n"
    )
    return Scene(config, await stage.start(url), capsys)


def allowed(reason: str) -> list[dict[str, object]]:
    """A single decision that allows."""
    return [{"allowed": True, "reason": reason}]


def sees(user: str, cluster: str, organization: str) -> dict[str, object]:
    """May a user in an organization see a cluster?"""
    return {
        "caller": {"user_id": user, "organization_id": organization},
        "resources": [{"kind": "cluster", "id": cluster}],
    }


def may(user: str, item: str, instance: str | None = None) -> dict[str, object]:
    """What may a user in organization 1 do with an item?"""
    query = {"context": "DATA", "item": item}
    if instance is not None:
        query["feature_instance_id"] = instance
    return {
        "caller": {"user_id": user, "organization_id": "1"},
        "queries": [query],
    }


def with_key(text: str) -> dict[str, object]:
    """May the holder of a key see a cluster, acting as the key says?"""
    return {
        "caller": {"api_key": text},
        "resources": [{"kind": "cluster", "id": "51"}],
    }


GATE = {
    "caller": {"user_id": "11", "organization_id": "1"},
    "gate": {"any_of_org_roles": {"roles": ["ADMIN"]}},
}
ANSWERS = ("decision", "decisions", "permissions")
BAD_KEY = [
    {"allowed": False, "denial": "UNAUTHENTICATED", "reason": "INVALID_CREDENTIAL"}
]


async def test_members(scene: Scene) -> None:
    """Added, suspended, resumed, removed: each holds as soon as it is done."""
    ben = sees("11", "51", "1")
    await scene.until("CheckVisible", ben, NOT_A_MEMBER)

    await scene.run("member add --org Acme --user ben")
    await scene.until("CheckVisible", ben, allowed("GRANTED"))
    await scene.run("member disable --org 1 --user 11")
    await scene.until("CheckVisible", ben, NOT_A_MEMBER)
    await scene.run("member enable --org 1 --principal 102")
    await scene.until("CheckVisible", ben, allowed("GRANTED"))
    await scene.run("member remove --org 1 --user 11")
    await scene.until("CheckVisible", ben, NOT_A_MEMBER)


async def test_org_roles(scene: Scene) -> None:
    """A membership's new role passes the gate that the old one did not."""
    await scene.run("member add --org 1 --user 11 --role user")
    denied = {
        "allowed": False,
        "denial": "FORBIDDEN",
        "reason": "INSUFFICIENT_ORG_ROLE",
    }
    await scene.until("CheckRole", GATE, denied)

    await scene.run("member add --org 1 --user 11 --role admin")
    await scene.until("CheckRole", GATE, allowed("ORG_ROLE")[0])


async def test_groups(scene: Scene) -> None:
    """Whoever joins a group has what is granted to the group."""
    ben = sees("11", "50", "1")
    await scene.run("member add --org 1 --user 11")
    await scene.run("cluster grant --cluster 50 --to Lab")
    hidden = {"allowed": False, "denial": "NOT_FOUND", "reason": "RESOURCE_NOT_FOUND"}
    await scene.until("CheckVisible", ben, [hidden])

    await scene.run("member add --group Lab --user 11")
    await scene.until("CheckVisible", ben, allowed("GRANTED"))
    await scene.run("member remove --group Lab --user 11")
    await scene.until("CheckVisible", ben, [hidden])


async def test_grants(scene: Scene) -> None:
    """A cluster is seen from its grant until that is revoked."""
    ann = sees("10", "50", "1")
    hidden = {"allowed": False, "denial": "NOT_FOUND", "reason": "RESOURCE_NOT_FOUND"}
    await scene.until("CheckVisible", ann, [hidden])

    await scene.run("cluster grant --cluster 50 --to 1")
    await scene.until("CheckVisible", ann, allowed("GRANTED"))
    await scene.run("cluster revoke --cluster 50 --to 1")
    await scene.until("CheckVisible", ann, [hidden])


async def test_roles_and_rules_on_a_membership(scene: Scene) -> None:
    """A role counts while it is assigned, as far as its rules say at the moment."""
    ann = may("10", "data.contract")
    await scene.until("GetPermissions", ann, [NOTHING])

    await scene.run("role assign --role reader --org 1 --user ann")
    generic = {**NOTHING, "view": True, "read": "GROUP", "create": "MY"}
    await scene.until("GetPermissions", ann, [generic])
    await scene.run("rule set --role reader --context DATA --item data --read my")
    await scene.until("GetPermissions", ann, [{**NOTHING, "read": "MY"}])
    await scene.run("rule unset --role reader --context DATA --item data")
    await scene.until("GetPermissions", ann, [generic])
    await scene.run("role unassign --role reader --org 1 --user ann")
    await scene.until("GetPermissions", ann, [NOTHING])


async def test_roles_on_a_feature_access(scene: Scene) -> None:
    """A role on a feature access counts when its instance is named."""
    ann = may("10", "data", "first")
    await scene.run("rule set --role tuner --context data --view --read g")
    await scene.until("GetPermissions", ann, [NOTHING])

    await scene.run("role assign --role Tuner --instance first --user 10")
    wanted = {**NOTHING, "view": True, "read": "GROUP"}
    await scene.until("GetPermissions", ann, [wanted])
    await scene.run("role unassign --role tuner --feature-access access")
    await scene.until("GetPermissions", ann, [NOTHING])


async def test_keys(scene: Scene) -> None:
    """A key that is printed is one that lets in, until it is revoked."""
    key = (await scene.run("api-key create --user ann --pin 1")).strip()
    lookup_id = key.split("_")[1]
    await scene.until("CheckVisible", with_key(key), allowed("GRANTED"))
    await scene.until("CheckVisible", with_key(f"{key[:-1]}x"), BAD_KEY)

    new = (await scene.run(f"api-key rotate {lookup_id}")).strip()
    await scene.until("CheckVisible", with_key(key), BAD_KEY)
    await scene.until("CheckVisible", with_key(new), allowed("GRANTED"))
    await scene.run(f"api-key revoke {lookup_id}-2")
    await scene.until("CheckVisible", with_key(new), BAD_KEY)


async def test_a_key_that_is_kept_for_a_while_goes_on(scene: Scene) -> None:
    """Old and new let in side by side, so that nobody is locked out between."""
    old = with_key("any_annkey_ann-secret")
    await scene.until("CheckVisible", old, allowed("GRANTED"))

    new = (await scene.run("api-key rotate annkey --keep-for 1h")).strip()
    await scene.until("CheckVisible", with_key(new), allowed("GRANTED"))
    await scene.until("CheckVisible", old, allowed("GRANTED"))


async def test_a_key_expires_as_it_was_told_to(scene: Scene) -> None:
    """A key is good before its moment, and bad from it on."""
    soon = (await scene.run("api-key create --user ann --pin 1 --expires 1s")).strip()
    later = (await scene.run("api-key create --user ann --pin 1 --expires 1h")).strip()

    await scene.until("CheckVisible", with_key(soon), BAD_KEY)
    await scene.until("CheckVisible", with_key(later), allowed("GRANTED"))


async def test_a_dry_run_changes_no_answer(scene: Scene) -> None:
    """What was rehearsed holds nowhere."""
    out = await scene.run("member remove --org 1 --user ann --dry-run")
    answer = await scene.serving.ask(
        "native",
        "CheckVisible",
        {**sees("10", "51", "1"), "consistency": {"fully_consistent": True}},
    )

    assert out.startswith("dry run: nothing is stored\nchanged membership 31")
    assert allowed("GRANTED") == answer["decisions"]

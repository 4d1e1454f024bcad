"""The real edge and its reference are asked the same, and must answer the same."""

from dataclasses import replace
from random import Random

import pytest

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.fuzz import Report, ask, fuzz, labs, shrink
from tests.edge.fuzz_requests import Maker
from tests.edge.lab import FUZZ_ROUTES, Lab, lab, token
from tests.edge.making import request
from tests.support.edge import ROOT

_REQUESTS = 2_000


@pytest.mark.parametrize("seed", [20_261, 20_262])
async def test_random_requests_are_judged_as_the_reference_does(seed: int) -> None:
    """Nothing that is made up crashes, nor is it answered otherwise; much passes."""
    report = Report()
    maker = Maker(Random(seed))  # noqa: S311  nothing secret is made of it
    for subject in await labs():
        await fuzz(subject, maker, report, _REQUESTS)

    assert [] == report.differences
    assert report.requests > 100 + report.outcomes["undecodable"]
    assert report.outcomes["passes as somebody"] > 100
    assert len(report.outcomes) > 15


@pytest.mark.parametrize("file", ["examples/routes.yaml", "tests/edge/routes.yaml"])
async def test_other_routes_are_judged_as_the_reference_does(file: str) -> None:
    """The same holds for the routes of the example and of the other tests."""
    subject = await lab((ROOT / file).read_text())
    report = Report()
    await fuzz(subject, Maker(Random(7)), report, _REQUESTS)  # noqa: S311  the same

    assert [] == report.differences


def _targets(path: bytes) -> list[bytes]:
    """A path with each byte, raw and as an escape, at each place and in its stead."""
    odd = [bytes([byte]) for byte in range(256)]
    odd += [b"%%%02x" % byte for byte in range(256)]
    odd += [b"%%%02X" % byte for byte in range(256)]
    places = range(1, len(path) + 1)
    return [path[:at] + each + path[at:] for at in places for each in odd] + [
        path[:at] + each + path[at + 1 :] for at in places for each in odd
    ]


@pytest.mark.parametrize("path", [b"/ui/ab", b"/files/a"])
async def test_every_byte_in_every_place_is_judged_as_the_reference_does(
    path: bytes,
) -> None:
    """No byte of a path, raw or escaped, leads where the reference does not."""
    subject = await lab()
    headers = {"authorization": f"Bearer {token(1)}", "x-organization-id": "1"}
    found = [
        await ask(subject, request(target, headers).SerializeToString())
        for target in _targets(path)
    ]
    differences = [difference for _, difference in found if difference is not None]

    assert [] == differences
    assert {"400 PATH_NOT_CANONICAL", "403 NO_ROUTE"} <= {each for each, _ in found}


async def _wrong() -> Lab:
    """An edge whose reference has other routes: without credentials on `/admin`."""
    text = FUZZ_ROUTES.read_text()
    demanding = (
        "{path: /admin, methods: [GET], require: [{role: {platform_admin: true}}]}"
    )
    assert demanding in text
    right, wrong = (
        await lab(),
        await lab(
            text.replace(demanding, "{path: /admin, methods: [GET], public: true}", 1)
        ),
    )
    return replace(wrong, reference=right.reference)


async def test_what_is_wrong_is_found_and_made_small() -> None:
    """A route that is open by mistake is found, and told by its path alone."""
    subject = await _wrong()
    report = Report()
    await fuzz(subject, Maker(Random(1)), report, 500)  # noqa: S311  the same
    small = await shrink(
        subject,
        request(
            "/admin?x=1",
            {"x-api-key": "gpk_a_b", "origin": "https://a"},
            extensions={"cluster": "1"},
            principal="CN=ann",
        ).SerializeToString(),
    )

    assert report.differences
    assert request("/admin", ()) == envoy.CheckRequest.FromString(small)

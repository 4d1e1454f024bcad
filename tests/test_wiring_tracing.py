"""Settings of tracing: what is refused, and what files must be."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sidecar.settings import Settings, SettingsError, load
from sidecar.wiring_collector import CollectorError, read_headers
from sidecar.wiring_tracing import start_tracing

HTTPS = "https://collector.example:4317"


def _loaded(folder: Path, tracing: str) -> None:
    path = folder / "sidecar.yaml"
    path.write_text(f"tracing: {tracing}\n")
    load(path)


@pytest.mark.parametrize(
    "tracing",
    [
        "{}",
        "{endpoint: null, sample_ratio: 0}",
        "{endpoint: 'http://collector'}",
        "{endpoint: 'http://[::1]:4317', headers_file: /run/token}",
        "{endpoint: 'https://collector.example/', headers_file: /run/token}",
        "{endpoint: 'https://c', ca_file: /ca, certificate: /c, key: /k}",
        "{attributes: {k8s.pod.name: web-1}, instance: web-1}",
    ],
)
def test_good_settings_are_taken(tmp_path: Path, tracing: str) -> None:
    """Whatever makes sense is taken."""
    _loaded(tmp_path, tracing)


@pytest.mark.parametrize(
    ("tracing", "problem"),
    [
        ("{endpoint: 'collector:4317'}", "must be `http://<host>:<port>`"),
        ("{endpoint: 'grpc://collector'}", "must be `http://<host>:<port>`"),
        ("{endpoint: 'https://a:b@c'}", "nothing but a host and a port"),
        ("{endpoint: 'https://c/v1/traces'}", "nothing but a host and a port"),
        ("{endpoint: 'https://c:0'}", "a port above 0"),
        ("{endpoint: 'https://c:99999'}", "range"),
        ("{endpoint: 'https://c d'}", "ascii"),
        ("{endpoint: 'http://c', headers_file: /t}", "`https` or loopback"),
        ("{endpoint: 'http://c', ca_file: /t}", "`https` only"),
        ("{endpoint: 'https://c', key: /t}", "both `certificate` and `key`"),
        ("{endpoint: 'https://c', queue_spans: 5, batch_spans: 6}", "at most"),
        ("{sample_ratio: 1.1}", "less than or equal to 1"),
        ("{sample_ratio: .nan}", "less than or equal to 1"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, tracing: str, problem: str) -> None:
    """What cannot be meant, or would send a token in the open, is refused."""
    with pytest.raises(SettingsError) as raised:
        _loaded(tmp_path, tracing)

    assert problem in str(raised.value)


def test_instance_makes_no_other_settings() -> None:
    """Two sidecars of one kind have the same digest, whatever they are called."""
    names = [Settings.model_validate({"tracing": {"instance": each}}) for each in "ab"]
    other = Settings.model_validate({"tracing": {"service_name": "c"}})

    assert names[0].digest() == names[1].digest() == Settings().digest()
    assert other.digest() != names[0].digest()


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_unusable_authorities_end_the_start(
    tmp_path: Path, content: str | None
) -> None:
    """What cannot be right later either is said at once."""
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    path = tmp_path / "sidecar.yaml"
    path.write_text(f"tracing: {{endpoint: '{HTTPS}', ca_file: '{ca}'}}\n")
    async with AsyncExitStack() as closing:
        with pytest.raises(CollectorError) as raised:
            start_tracing(load(path), closing)

    assert "`tracing.ca_file` " in str(raised.value)


def test_headers_are_read_line_by_line(tmp_path: Path) -> None:
    """Names in lower case, values without the blanks around them."""
    file = tmp_path / "headers"
    file.write_text("Authorization: Bearer a:b\n\n x-scope :one \n")

    assert (("authorization", "Bearer a:b"), ("x-scope", "one")) == read_headers(file)


@pytest.mark.parametrize(
    "text", ["token", ": value", "a b: c", "a: \u00e4", "a: b\x07"]
)
def test_malformed_headers_are_not_sent(tmp_path: Path, text: str) -> None:
    """A file that is not one of headers is an error, and never half sent."""
    file = tmp_path / "headers"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"ascii|must") as raised:
        read_headers(file)

    assert text not in str(raised.value)

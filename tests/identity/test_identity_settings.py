"""Settings of identity: refused where they could not mean what they say."""

from pathlib import Path

import pytest
import yaml

from sidecar.settings import IssuerSettings, SettingsError, load
from sidecar.store.clock import SystemClock
from sidecar.wiring_identity import issuers_of

ISSUER: dict[str, object] = {
    "issuer": "https://login.example",
    "audiences": ["gpu-cloud"],
    "jwks_file": "keys.json",
}
URL = {"jwks_file": None, "jwks_url": "https://login.example/keys"}


def written(folder: Path, identity: object) -> Path:
    """A settings file with these settings of identity."""
    path = folder / "sidecar.yaml"
    path.write_text(yaml.safe_dump({"identity": identity}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {},
        URL,
        URL | {"jwks_url": "https://login.example:8443/keys?v=1"},
        URL | {"jwks_url": "https://[::1]/"},
        URL | {"ca_file": "ca.pem"},
        {"algorithms": ["PS512"]},
        {"user_id_claim": "gpu_user", "leeway_seconds": 0},
        {"leeway_seconds": 300, "jwks_max_age_seconds": 1},
    ],
)
def test_issuer_is_read(tmp_path: Path, changed: dict[str, object]) -> None:
    """An issuer with one source of keys is taken as it stands."""
    wanted = IssuerSettings.model_validate(ISSUER | changed)

    settings = load(written(tmp_path, {"issuers": [ISSUER | changed]}))

    assert (wanted,) == settings.identity.issuers
    [issuer] = issuers_of(settings, SystemClock())
    assert wanted.user_id_claim == issuer.rules.user_id_claim
    assert wanted.leeway_seconds == issuer.rules.leeway


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"issuer": ""}, "`identity.issuers[0].issuer` is refused"),
        ({"audiences": []}, "`identity.issuers[0].audiences` is refused"),
        ({"audiences": [""]}, "`identity.issuers[0].audiences[0]` is refused"),
        ({"algorithms": []}, "`identity.issuers[0].algorithms` is refused"),
        ({"algorithms": ["none"]}, "`identity.issuers[0].algorithms[0]` is refused"),
        ({"algorithms": ["HS256"]}, "`identity.issuers[0].algorithms[0]` is refused"),
        ({"algorithms": ["ES256K"]}, "`identity.issuers[0].algorithms[0]` is refused"),
        ({"leeway_seconds": -1}, "`identity.issuers[0].leeway_seconds` is refused"),
        ({"leeway_seconds": 301}, "`identity.issuers[0].leeway_seconds` is refused"),
        ({"jwks_max_age_seconds": 0}, "jwks_max_age_seconds` is refused"),
        ({"user_id_claim": ""}, "`identity.issuers[0].user_id_claim` is refused"),
        ({"jwks_file": None}, "must have either `jwks_file` or `jwks_url`"),
        (
            {"jwks_url": "https://login.example/keys"},
            "must have either `jwks_file` or `jwks_url`",
        ),
        ({"ca_file": "ca.pem"}, "must have `ca_file` with `jwks_url` only"),
        (URL | {"jwks_url": "http://login.example/keys"}, "must be `https://<host>"),
        (URL | {"jwks_url": "http://127.0.0.1/keys"}, "must be `https://<host>"),
        (URL | {"jwks_url": "https:///keys"}, "must be `https://<host>"),
        (URL | {"jwks_url": "login.example/keys"}, "must be `https://<host>"),
        (URL | {"jwks_url": "file:///etc/keys"}, "must be `https://<host>"),
        (URL | {"jwks_url": "https://a:b@login.example/"}, "neither a password nor"),
        (URL | {"jwks_url": "https://login.example/#x"}, "neither a password nor"),
        (URL | {"jwks_url": "https://login.example/\r\nX: y"}, "must be plain ascii"),
        (URL | {"jwks_url": "https://login.example/a b"}, "must be plain ascii"),
        (URL | {"jwks_url": "https://l\u00f6gin.example/"}, "must be plain ascii"),
        (URL | {"jwks_url": "https://login.example:0/"}, "must have a port above 0"),
        (URL | {"jwks_url": "https://login.example:99999/"}, "out of range"),
        ({"jwks": "x"}, "`identity.issuers[0].jwks` is no known setting"),
    ],
)
def test_bad_issuer_is_refused(
    tmp_path: Path, changed: dict[str, object], problem: str
) -> None:
    """What could not be meant is named by its path, in one line."""
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, {"issuers": [ISSUER | changed]}))

    assert problem in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("identity", "problem"),
    [
        ({"issuers": [ISSUER, ISSUER]}, "must name each issuer once"),
        ({"api_key_prefixes": ["a_b"]}, "`identity.api_key_prefixes[0]` is refused"),
        ({"api_key_prefixes": [""]}, "`identity.api_key_prefixes[0]` is refused"),
        ({"spiffe_trust_domains": ["spiffe://a"]}, "must be a trust domain without"),
        ({"spiffe_trust_domains": ["A"]}, "must be a trust domain without"),
        ({"jwt_authn": {"payload_key": "x"}}, "must have both `payload_key` and"),
        ({"jwt_authn": {"issuers": ["x"]}}, "must have both `payload_key` and"),
        ({"hmac_keys": []}, "`identity.hmac_keys` is no known setting"),
    ],
)
def test_bad_identity_is_refused(
    tmp_path: Path, identity: object, problem: str
) -> None:
    """So is the rest of it."""
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, identity))

    assert problem in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_nobody_is_believed_by_default() -> None:
    """Without settings there is no issuer, trust domain or payload, and any prefix."""
    identity = load(None).identity

    assert () == identity.issuers
    assert () == identity.spiffe_trust_domains
    assert identity.jwt_authn.payload_key is None
    assert () == identity.api_key_prefixes

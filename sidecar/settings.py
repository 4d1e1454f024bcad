"""Settings: one frozen tree, read once from a YAML file and AUTHZ_… variables.

A variable's name is the path of its setting in upper case, joined by two
underscores: AUTHZ_DATABASE__URL. Variables win over the file. The module is long
because the whole tree is in one place: each setting with its default and a sentence.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from enum import Enum, unique
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

_PREFIX = "AUTHZ_"
# Variables of the command line and its clients, which are no settings.
_OTHER_VARIABLES = frozenset(
    {"AUTHZ_ADDRESS", "AUTHZ_API_KEY", "AUTHZ_ACCESS_TOKEN", "AUTHZ_CONFIG"}
)


class SettingsError(Exception):
    """The settings cannot be used; the message is one line that says why."""


class _Tree(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Database(_Tree):
    """The PostgreSQL that has the facts."""

    url: SecretStr = Field(
        default=SecretStr("postgresql:///authz"),
        description="Where facts are read, as a libpq URL; of several hosts, the "
        "primary.",
    )
    feed_url: SecretStr | None = Field(
        default=None,
        description="Where changes are listened to, without a transaction pooler "
        "between; unset means `url`.",
    )
    read_url: SecretStr | None = Field(
        default=None,
        description="A streaming replica that facts for memory are read from while it "
        "shows all that was heard; unset means `url`.",
    )
    password_file: Path | None = Field(
        default=None,
        description="A file with the password for all URLs, read for each connection "
        "anew; unset means the password in the URL.",
    )
    pool_min: PositiveInt = Field(default=1, description="Connections kept open.")
    pool_max: PositiveInt = Field(default=8, description="Connections at most.")
    pool_waiting: PositiveInt = Field(
        default=128, description="Questions that may wait for a connection."
    )
    connect_seconds: PositiveFloat = Field(
        default=5.0, description="How long a connection may take to open, in seconds."
    )
    prepared_statements: bool = Field(
        default=True,
        description="Whether statements stay prepared; false behind a transaction "
        "pooler that cannot keep them.",
    )

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        urls = {
            "url": self.url,
            "feed_url": self.feed_url,
            "read_url": self.read_url,
        }
        for name, url in urls.items():
            if self.password_file is None or url is None:
                continue
            parts = urlsplit(url.get_secret_value())
            if ":" in parts.netloc.rpartition("@")[0] or "password=" in parts.query:
                raise ValueError(f"`{name}` has a password, and so has `password_file`")
        return self


_LEAST_BEATS = 3


class Freshness(_Tree):
    """How old a fact from memory may be."""

    max_staleness: PositiveFloat = Field(
        default=10.0,
        description="Seconds without a sign of life from the feed after which "
        "nothing is answered from memory.",
    )
    beat_interval: PositiveFloat = Field(
        default=1.0, description="Seconds between signs of life through the database."
    )
    trigger_check_interval: PositiveFloat = Field(
        default=60.0, description="Seconds between checks of the change triggers."
    )

    @model_validator(mode="after")
    def _leaves_time_for_proofs(self) -> Self:
        # Between two proofs lie up to two and a half intervals, without any fault.
        if self.max_staleness < _LEAST_BEATS * self.beat_interval:
            raise ValueError(
                f"must have `max_staleness` of at least {_LEAST_BEATS} times "
                "`beat_interval`"
            )
        return self


class Cache(_Tree):
    """How much is kept in memory, by weight: one for each id, grant or rule."""

    users: PositiveInt = Field(default=200_000, description="Weight of users.")
    standings: PositiveInt = Field(
        default=1_000_000, description="Weight of standings within principals."
    )
    roles: PositiveInt = Field(default=1_000_000, description="Weight of roles.")
    resources: PositiveInt = Field(
        default=500_000, description="Weight of resources looked up."
    )
    others: PositiveInt = Field(
        default=200_000, description="Weight of every other group of facts, each."
    )
    absent: PositiveInt = Field(
        default=20_000, description="Weight of what was found not to exist, each group."
    )


class ResourceKindSettings(_Tree):
    """A declared kind of resource."""

    visibility: Literal["OWNED", "CLUSTER", "CLUSTER_RESOURCE"] = Field(
        description="The visibility rule."
    )
    owner: bool = Field(
        default=True, description="Whether rows carry owner_principal_id."
    )
    cluster: bool = Field(default=False, description="Whether rows carry cluster_id.")


class TlsSettings(_Tree):
    """TLS of a TCP listener; files are PEM, and are read again as they change."""

    certificate: Path = Field(
        description="The listener's certificate, followed by its intermediates."
    )
    key: Path = Field(
        description="Its private key without a passphrase: ECDSA P-256 or P-384, or "
        "RSA from 2,048 bits."
    )
    client_ca: Path | None = Field(
        default=None,
        description="The authorities that vouch for callers; callers then need a "
        "certificate (mTLS).",
    )
    allowed_names: tuple[str, ...] = Field(
        default=(),
        description="Who may call, by the names in their certificates: `dns:<name>`, "
        "`uri:<uri>` or `ip:<address>`, compared exactly.",
    )
    reload_seconds: PositiveFloat = Field(
        default=5.0,
        description="Seconds between readings of the files; what has changed is taken "
        "over at the second.",
    )
    warn_days: NonNegativeFloat = Field(
        default=14.0,
        description="Days before it expires from which on a certificate is warned of.",
    )
    connection_seconds: Annotated[float, Field(ge=1, le=1_000_000)] = Field(
        default=3600.0,
        description="How long a connection may last before the caller has to show its "
        "certificate anew, in seconds.",
    )


class ListenerSettings(_Tree):
    """One place where the sidecar listens."""

    address: str = Field(
        default="unix:authz.sock",
        description="`unix:<path>` or `<host>:<port>`; `tls` if beyond loopback.",
    )
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] = Field(
        default="0660", description="The socket file's mode, octal."
    )
    takes_over: bool = Field(
        default=False,
        description="Whether the socket file is taken over from a sidecar that still "
        "listens on it, which then goes on with the connections it has; false refuses "
        "to start.",
    )
    services: frozenset[Literal["api", "edge", "health", "reflection", "watch"]] = (
        Field(
            default=frozenset({"api", "edge", "health", "watch"}),
            description="What is served here; to name `edge` takes `edge.routes_file`. "
            "Never `watch` with `callers: credentials`: it shows the keys of all "
            "tenants.",
        )
    )
    callers: Literal["any", "credentials"] = Field(
        default="any",
        description="Whom to believe: everyone who is named, or credentials only.",
    )
    explain: bool = Field(
        default=True, description="Whether decisions are explained here on request."
    )
    engine: Literal["auto", "native", "grpcio"] = Field(
        default="auto",
        description="What speaks HTTP/2; auto is native, and grpcio with `tls`.",
    )
    tls: TlsSettings | None = Field(
        default=None, description="TLS, for TCP only; null is none."
    )


def _host_and_port(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _LAST_PORT:
        raise ValueError("must be `<address>:<port>`")
    ip_address(host.strip("[]"))
    return text


_LAST_PORT = 65_535


class MetricsSettings(_Tree):
    """Prometheus metrics over HTTP."""

    address: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        default="127.0.0.1:9464",
        description="`<address>:<port>`; null serves none.",
    )


def _https_url(text: str) -> str:
    parts = urlsplit(text)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be plain ascii")
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("must be `https://<host>/<path>`")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must have neither a password nor a fragment")
    if parts.port == 0:  # raises ValueError itself for what is no port
        raise ValueError("must have a port above 0")
    return text


_Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA",
]  # fmt: skip
_Name = Annotated[str, Field(min_length=1, max_length=512)]


class IssuerSettings(_Tree):
    """Somebody whose access tokens are believed."""

    issuer: _Name = Field(description="The `iss` of its tokens, exactly.")
    audiences: tuple[_Name, ...] = Field(
        min_length=1, description="A token must be meant for one of these."
    )
    algorithms: tuple[_Algorithm, ...] = Field(
        default=("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="How its tokens may be signed.",
    )
    jwks_file: Path | None = Field(
        default=None,
        description="The file with its public keys; read again when it changes. "
        "Either this or `jwks_url`.",
    )
    jwks_url: Annotated[str, AfterValidator(_https_url)] | None = Field(
        default=None,
        description="The https:// URL of its public keys. No redirect is followed.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Authorities to trust for `jwks_url`, as PEM; unset means the "
        "system's.",
    )
    user_id_claim: _Name | None = Field(
        default=None,
        description="The claim that is the user's id, a string; unset means that "
        "issuer and `sub` are looked up in `user_identities`.",
    )
    leeway_seconds: Annotated[float, Field(ge=0, le=300)] = Field(
        default=30.0,
        description="How far `exp` and `nbf` are stretched for clocks that differ, "
        "in seconds.",
    )
    jwks_max_age_seconds: PositiveFloat = Field(
        default=3600.0,
        description="How long the keys that were read last serve when they cannot be "
        "read again, in seconds.",
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.jwks_file is None) is (self.jwks_url is None):
            raise ValueError("must have either `jwks_file` or `jwks_url`")
        if self.ca_file is not None and self.jwks_url is None:
            raise ValueError("must have `ca_file` with `jwks_url` only")
        return self


class JwtAuthnSettings(_Tree):
    """Tokens that Envoy's filter `jwt_authn` has verified."""

    payload_key: _Name | None = Field(
        default=None,
        description="The `payload_in_metadata` of the filter; unset means that "
        "payloads name nobody.",
    )
    issuers: tuple[_Name, ...] = Field(
        default=(), description="The issuers whose payloads are believed."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.payload_key is None) is bool(self.issuers):
            raise ValueError("must have both `payload_key` and `issuers`, or neither")
        return self


def _trust_domain(text: str) -> str:
    if _TRUST_DOMAIN.fullmatch(text) is None:
        raise ValueError("must be a trust domain without `spiffe://`")
    return text


_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}", re.ASCII)
_TrustDomain = Annotated[str, AfterValidator(_trust_domain)]
_Prefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")]


class IdentitySettings(_Tree):
    """Which credentials are believed, beside API keys."""

    issuers: tuple[IssuerSettings, ...] = Field(
        default=(), description="Whose access tokens are believed."
    )
    api_key_prefixes: tuple[_Prefix, ...] = Field(
        default=(),
        description="Prefixes of the API keys that are accepted; none means all.",
    )
    spiffe_trust_domains: tuple[_TrustDomain, ...] = Field(
        default=(),
        description="Trust domains whose client certificates name callers at the edge.",
    )
    jwt_authn: JwtAuthnSettings = JwtAuthnSettings()

    @field_validator("issuers")
    @classmethod
    def _are_different(
        cls, issuers: tuple[IssuerSettings, ...]
    ) -> tuple[IssuerSettings, ...]:
        if len({each.issuer for each in issuers}) != len(issuers):
            raise ValueError("must name each issuer once")
        return issuers


class EdgeSettings(_Tree):
    """Envoy's ext_authz."""

    routes_file: Path | None = Field(
        default=None,
        description="The file of routes; unset means that no edge is served.",
    )
    reload_interval: PositiveFloat = Field(
        default=2.0, description="Seconds between looks at the file of routes."
    )
    budget: PositiveFloat = Field(
        default=0.15,
        description="Seconds for a request, unless Envoy's deadline is nearer.",
    )


def _collector_url(text: str) -> str:
    parts = urlsplit(text)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be plain ascii")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be `http://<host>:<port>` or `https://<host>:<port>`")
    if "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must have nothing but a host and a port")
    if parts.port == 0:  # raises ValueError itself for what is no port
        raise ValueError("must have a port above 0")
    return text


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class CollectorSettings(_Tree):
    """A collector of OpenTelemetry, and what it is told of this process."""

    endpoint: Annotated[str, AfterValidator(_collector_url)] | None = Field(
        default=None,
        description="The collector, as `http://<host>:<port>` or with `https`; it is "
        "told by OTLP over gRPC, on port 4317 if none is named. Null is none.",
    )
    headers_file: Path | None = Field(
        default=None,
        description="A file with what is sent along, such as a token: one "
        "`<name>: <value>` a line, read for each batch anew. Needs `https` beyond "
        "loopback.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Authorities to trust for the collector, as PEM; unset means those "
        "that come with gRPC.",
    )
    certificate: Path | None = Field(
        default=None,
        description="The certificate to show to the collector, as PEM; with `key`.",
    )
    key: Path | None = Field(
        default=None, description="The private key of `certificate`, as PEM."
    )
    service_name: _Name = Field(
        default="authz-sidecar", description="The resource's `service.name`."
    )
    instance: _Name | None = Field(
        default=None,
        description="The resource's `service.instance.id`, such as the pod's name; "
        "unset means a new one with each start.",
    )
    attributes: dict[str, str] = Field(
        default={}, description="More of the resource's attributes, by name."
    )
    timeout_seconds: PositiveFloat = Field(
        default=5.0,
        description="How long the collector has to take what is sent, in seconds.",
    )

    @model_validator(mode="after")
    def _is_reached_safely(self) -> Self:
        if self.endpoint is None:
            return self
        parts = urlsplit(self.endpoint)
        is_tls = parts.scheme == "https"
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("must have both `certificate` and `key`, or neither")
        if not is_tls and (self.ca_file is not None or self.key is not None):
            raise ValueError("must have `ca_file` and `key` with `https` only")
        if self.headers_file and not is_tls and parts.hostname not in _LOOPBACK:
            raise ValueError("must have `headers_file` with `https` or loopback only")
        return self


class TracingSettings(CollectorSettings):
    """OpenTelemetry traces; without an `endpoint` nothing is traced."""

    sample_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.01,
        description="The share of calls that is traced of those whose caller names no "
        "trace; the others are traced when their caller's trace is.",
    )
    follow_http: bool = Field(
        default=False,
        description="Whether at the edge the trace in the HTTP request's headers is "
        "followed when Envoy names none; who sends requests then chooses what is "
        "traced.",
    )
    batch_spans: PositiveInt = Field(
        default=512, description="Spans that are sent at once."
    )
    queue_spans: PositiveInt = Field(
        default=4_096,
        description="Spans that may wait to be sent; more are dropped and counted.",
    )
    interval_seconds: PositiveFloat = Field(
        default=1.0, description="How long spans wait for others, in seconds."
    )
    flush_seconds: NonNegativeFloat = Field(
        default=2.0,
        description="How long sending the rest may take when the sidecar stops, in "
        "seconds.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.batch_spans > self.queue_spans:
            raise ValueError("must have `batch_spans` of at most `queue_spans`")
        return self


_LEAST_RECORD_BYTES = 4_096
_RECORDS_IN_A_FILE = 4


class DecisionLogSettings(_Tree):
    """What is written down of every decision."""

    to: Literal["stdout", "file", "otlp"] | None = Field(
        default=None, description="Where records go; null logs no decision."
    )
    file: Path | None = Field(
        default=None,
        description="The file, with `to: file`; rotated ones are `<file>.1` and so on.",
    )
    file_bytes: PositiveInt = Field(
        default=104_857_600, description="Bytes from which on a file is rotated."
    )
    files: Annotated[int, Field(ge=2, le=1_000)] = Field(
        default=5, description="Files that are kept, with the one that is written."
    )
    collector: CollectorSettings = CollectorSettings()
    sample_allowed: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0,
        description="The share of allowed calls that is logged. Denials, and what "
        "could not be decided, always are.",
    )
    mask: frozenset[
        Literal[
            "user_id", "subject", "principal_id", "organization_id", "cluster_id",
            "resource_id", "item", "name", "path", "peer",
        ]
    ] = Field(
        default=frozenset({"subject", "name"}),
        description="Fields whose values are replaced by digests. Credentials are "
        "never logged.",
    )  # fmt: skip
    mask_key_file: Path | None = Field(
        default=None,
        description="The key of these digests, of 16 bytes at least; unset means a new "
        "one with each start, so that they cannot be compared beyond it.",
    )
    record_bytes: Annotated[int, Field(ge=_LEAST_RECORD_BYTES)] = Field(
        default=16_384,
        description="Bytes of a record; what is longer is cut, denials last.",
    )
    queue_bytes: PositiveInt = Field(
        default=16_777_216,
        description="Bytes that may wait to be written; beyond them allowed calls are "
        "dropped, then the oldest others.",
    )
    flush_seconds: NonNegativeFloat = Field(
        default=2.0,
        description="How long writing may take when the sidecar stops, in seconds.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.to == "file") is (self.file is None):
            raise ValueError("must have both `to: file` and `file`, or neither")
        if (self.to == "otlp") is (self.collector.endpoint is None):
            raise ValueError(
                "must have both `to: otlp` and `collector.endpoint`, or neither"
            )
        if self.file_bytes < _RECORDS_IN_A_FILE * self.record_bytes:
            raise ValueError(
                f"must have `file_bytes` of at least {_RECORDS_IN_A_FILE} times "
                "`record_bytes`"
            )
        return self


class LimitSettings(_Tree):
    """How large a request may be, and how much may be asked at once."""

    id_bytes: PositiveInt = Field(default=256, description="Bytes of an id.")
    item_bytes: PositiveInt = Field(default=512, description="Bytes of an item.")
    item_segments: PositiveInt = Field(default=32, description="Segments of an item.")
    credential_bytes: PositiveInt = Field(
        default=16_384, description="Bytes of a credential."
    )
    message_bytes: PositiveInt = Field(
        default=4_194_304, description="Bytes of a message."
    )
    concurrent_requests: PositiveInt = Field(
        default=1_000,
        description="Requests at once, on all listeners together; more are turned "
        "away as OVERLOADED.",
    )
    queue_seconds: PositiveFloat = Field(
        default=0.25,
        description="How long requests may wait for their turn, in seconds; when "
        "they wait longer, new ones are turned away as OVERLOADED.",
    )
    connections: PositiveInt = Field(
        default=1_024,
        description="Connections at once to one listener; with the engine grpcio only.",
    )
    streams: PositiveInt = Field(
        default=1_024, description="Requests at once on one connection."
    )
    watchers: PositiveInt = Field(
        default=64, description="Streams of `Watch` at once, on all listeners together."
    )
    watch_backlog: PositiveInt = Field(
        default=100_000,
        description="Changed keys that are kept for streams: so far may one be behind "
        "before it is ended as WATCHER_TOO_SLOW, and resume without a gap.",
    )


class StopSettings(_Tree):
    """What happens on SIGTERM."""

    linger_seconds: NonNegativeFloat = Field(
        default=2.0,
        description="How long to go on answering after saying NOT_SERVING, in seconds.",
    )
    grace_seconds: NonNegativeFloat = Field(
        default=10.0, description="How long running calls may take to end, in seconds."
    )


@unique
class LogLevel(Enum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=_PREFIX, env_nested_delimiter="__"
    )

    database: Database = Database()
    freshness: Freshness = Freshness()
    cache: Cache = Cache()
    listeners: tuple[ListenerSettings, ...] = Field(
        default=(ListenerSettings(),), min_length=1
    )
    resource_kinds: dict[str, ResourceKindSettings] = Field(
        default={}, description="The kinds of resource by name."
    )
    role_precedence: Literal["union", "highest_scope"] = Field(
        default="union", description="How roles of different scopes come together."
    )
    identity: IdentitySettings = IdentitySettings()
    edge: EdgeSettings = EdgeSettings()
    metrics: MetricsSettings = MetricsSettings()
    decision_log: DecisionLogSettings = DecisionLogSettings()
    tracing: TracingSettings = TracingSettings()
    limits: LimitSettings = LimitSettings()
    stop: StopSettings = StopSettings()
    log_level: LogLevel = Field(
        default=LogLevel.INFO, description="How much is logged."
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over the file, and nothing else is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    def digest(self) -> str:
        """SHA-256 of the settings without secrets, lower-case hex."""
        # Every process must get the same of the same, and sets have no order. What
        # only names a process is no difference between two.
        tree = self.model_dump(exclude={"tracing": {"instance"}})
        plain = json.dumps(tree, default=_plain, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    return value.value if isinstance(value, Enum) else str(value)


def load(path: Path | None) -> Settings:
    """Reads the settings, from `path` when there is one, and from variables.

    Raises:
        SettingsError: unreadable, not YAML, an unknown key or a bad value.
    """
    _refuse_unknown_variables(os.environ)
    found: object = {} if path is None else _read(path)
    if not isinstance(found, dict):
        raise SettingsError(f"settings in `{path}` must be a mapping")
    if not all(isinstance(key, str) for key in found):
        raise SettingsError(f"settings in `{path}` must have names as keys")
    try:
        return Settings(**found)
    except ValidationError as error:
        source = "variables" if path is None else f"`{path}` and variables"
        raise SettingsError(f"settings from {source}: {_in_words(error)}") from error
    except ValueError as error:
        # pydantic-settings raises this for a variable that is not JSON.
        raise SettingsError(f"settings: {error}".splitlines()[0]) from error


def _read(path: Path) -> object:
    try:
        found: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or "it is no file").lower()
        raise SettingsError(
            f"settings file `{path}` cannot be read: {reason}"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings file `{path}` is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f" at line {mark.line + 1}"
        raise SettingsError(
            f"settings file `{path}` is not YAML{where}: {error.problem}"
        ) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"settings file `{path}` is not YAML") from error
    return {} if found is None else found


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    fields = {name.upper() for name in Settings.model_fields}
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in _OTHER_VARIABLES:
            continue
        if name.removeprefix(_PREFIX).partition("__")[0] not in fields:
            raise SettingsError(f"settings: variable `{name}` names no setting")


def _in_words(error: ValidationError) -> str:
    return "; ".join(
        f"`{_path(each['loc'])}` {_problem(each['type'], each['msg'])}"
        for each in error.errors(include_input=False, include_url=False)
    )


def _path(parts: Iterable[int | str]) -> str:
    written = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts
    )
    return written.removeprefix(".")


def _problem(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "is no known setting"
    words = message.removeprefix("Value error, ")
    return f"is refused: {words[:1].lower()}{words[1:]}"

"""Every setting of the service, read from `YINXIN_*` in the environment and from nowhere else.

Each has a default that is good for trying things out; `service.refusals` names those that production
does not run with.
"""

import re
import ssl
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from idp.embedding import is_origin
from idp.nodes import upstream_file
from idp.nodes.upstream_file import UpstreamFileWrong
from idp.upstream import Upstream
from keys.algorithms import ALGORITHMS
from service import seal_nodes_file
from service.mistakes import OperatorMistake
from service.seal_nodes_file import SealNode, SealNodesFileWrong

PREFIX = "YINXIN_"
SANDBOX_MARK = "sandbox-"
SECRETS = ("key_encryption_key", "number_index_key", "number_seal_key", "session_secret")
TOKEN_MARK = "pkcs11-"  # noqa: S105 - it says that a token opens what follows

# 32 bytes, or nothing; a sandbox's own say what they are.
_SECRET = re.compile(rf"((?:{SANDBOX_MARK})?[0-9a-f]{{64}})?")
_KEY_ENCRYPTION_KEY = re.compile(rf"{_SECRET.pattern}|{TOKEN_MARK}(?:[0-9a-f]{{2}})+")
_SECRET_FORM = "must be 64 hexadecimal digits (openssl rand -hex 32)"  # noqa: S105
_KEY_FORM = f"{_SECRET_FORM}, or {TOKEN_MARK} and a key that the PKCS#11 token wrapped"

ISSUER_PATH = "/oidc"
"""The path of the issuer that nobody named."""

_ORIGIN = r"^(https?://[A-Za-z0-9.:\[\]-]+/?)?$"
# OpenID Connect Discovery 1.0 §3, RFC 8414 §2: an issuer has neither query nor fragment.
_ADDRESS = r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*)?$"
# With a path, so that no host begins with another's.
_SERVICE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/[\x21-\x7e]*")
Network = IPv4Network | IPv6Network


class Mode(StrEnum):
    """What the service is for. In production nobody is seeded and no simulator runs."""

    SANDBOX = "sandbox"
    TEST = "test"
    PRODUCTION = "production"


class Parts(StrEnum):
    """What of the service runs here."""

    ALL = "all"
    SEAL = "seal"


class Settings(BaseSettings):
    """The service's settings."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    mode: Mode = Field(Mode.SANDBOX, description="`sandbox`, `test` or `production`.")
    parts: Parts = Field(
        Parts.ALL,
        description="What runs here: `all`, or `seal`, the seals alone: their register, stamping and "
        "verification, and the sign-in of staff; no licences, and nothing for citizens.",
    )
    var: Path = Field(Path("var"), description="Folder of everything the service writes by itself.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    public_url: str = Field(
        "",
        pattern=_ORIGIN,
        description="The address people and portals use, without a slash at the end. "
        "It is printed in every code. Empty: the issuer's origin, else `http://localhost:<port>`.",
    )
    issuer: str = Field(
        "",
        pattern=_ADDRESS,
        description="The issuer identifier of OpenID Connect, exactly as clients know it, without a "
        "slash at the end; its endpoints are below it. Empty: `/oidc` at the public address.",
    )
    mtls_url: str = Field(
        "",
        pattern=_ADDRESS,
        description="What stands in for the issuer where the TLS proxy asks for client certificates: "
        "another host, the same path. Empty: it asks for them at the issuer, if at all.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the TLS proxies in front, with commas between. Only "
        "they are believed in `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and the client "
        "certificate's header.",
    )
    client_certificate_header: str = Field(
        "Client-Cert",
        pattern=r"^[A-Za-z0-9-]+$",
        description="The header in which a trusted proxy hands on the client's certificate: as of "
        "RFC 9440, or PEM with percent-encoding (nginx `$ssl_client_escaped_cert`). For clients with "
        "`tls_client_auth` the proxy must hand on only those that an authority it trusts issued.",
    )
    sign_in_authorities_file: str = Field(
        "",
        description="A file (PEM) of certificate authorities, beside our own, whose certificates sign "
        "people, legal entities and staff in. Their revocation lists must be reachable. Empty: none.",
    )
    dpop_nonce: Literal["offered", "required"] = Field(
        "offered",
        description="Whether a DPoP proof must hold a nonce of ours (`required`, RFC 9449 §8) or may.",
    )
    registration: Literal["closed", "open"] = Field(
        "closed",
        description="Whether clients register themselves (RFC 7591) with an initial access token only "
        "(`closed`), or everybody may (`open`).",
    )
    outgoing_loopback: bool | None = Field(
        None,
        description="Whether requests to addresses that clients told us may go to this machine, over "
        "plain http too. Not set: not in production.",
    )
    outgoing_ca_file: str = Field(
        "",
        description="A file (PEM) of authorities that those requests trust beside the machine's own. "
        "Empty: that of `SSL_CERT_FILE`, if it is set.",
    )
    database_url: str = Field(
        "",
        pattern=r"^(postgresql\+psycopg://.*)?$",
        description="SQLAlchemy URL of a PostgreSQL (`postgresql+psycopg://...`). "
        "Empty: an embedded one under `var`.",
    )
    database_pool: int = Field(
        40,
        ge=2,
        description="Database connections of this process, and threads that answer requests.",
    )
    redis_url: str = Field(
        "",
        pattern=r"^((redis|rediss|unix)://.*)?$",
        description="URL of a Valkey or Redis. Empty: an embedded one, which forgets on restart.",
    )
    files_url: str = Field(
        "",
        pattern=r"^(s3://.*)?$",
        description="Where sealed files are kept: `s3://bucket/prefix`, or empty for `var/files`.",
    )
    key_encryption_key: SecretStr = Field(
        SecretStr(""),
        description="Wraps every private key at rest: 64 hex digits, or `pkcs11-` and the hex of "
        "a key that the PKCS#11 token wrapped. Empty: made once under `var`.",
    )
    key_encryption_key_file: str = Field(
        "", description="A file that holds the key-encryption key, in place of the variable."
    )
    older_key_encryption_keys: SecretStr = Field(
        SecretStr(""),
        description="Key-encryption keys of before, with commas between, until every private key "
        "is wrapped under the current one (`yinxin keys rewrap`).",
    )
    key_encryption_cipher: Literal["AES-256-GCM", "SM4-GCM"] = Field(
        "AES-256-GCM", description="`AES-256-GCM` or `SM4-GCM`: what private keys are wrapped with."
    )
    pkcs11_module: str = Field(
        "", description="The library of a PKCS#11 token (HSM), by its full path. Empty: no token."
    )
    pkcs11_token: str = Field("", description="The label of that token.")
    pkcs11_pin: SecretStr = Field(SecretStr(""), description="The PIN of that token's user.")
    retired_algorithms: str = Field(
        "",
        description="Algorithms and the first day (UTC) they sign no more, with commas between: "
        "`RS256=2030-01-01`. What they signed before stays valid.",
    )
    number_index_key: SecretStr = Field(
        SecretStr(""),
        description="Finds people by ID number without storing it: 64 hex digits, like the next "
        "two. Empty: made once.",
    )
    number_seal_key: SecretStr = Field(
        SecretStr(""), description="Encrypts ID numbers at rest. Empty: made once under `var`."
    )
    session_secret: SecretStr = Field(
        SecretStr(""),
        description="Keys the hashes of sessions and client secrets. Empty: made once.",
    )
    population_register_url: str = Field(
        "", description="The population register. Empty: the simulator."
    )
    exit_entry_url: str = Field(
        "", description="The exit and entry administration. Empty: the simulator."
    )
    business_register_url: str = Field(
        "", description="The registers of legal entities. Empty: the simulator."
    )
    tax_url: str = Field("", description="The tax administration. Empty: the simulator.")
    alipay_url: str = Field("", description="Alipay's check of people. Empty: the simulator.")
    unionpay_url: str = Field("", description="UnionPay's check of cards. Empty: the simulator.")
    housing_fund_url: str = Field("", description="The housing fund. Empty: the simulator.")
    live_person_url: str = Field("", description="The live-person check. Empty: the simulator.")
    sms_gateway_url: str = Field("", description="The SMS gateway. Empty: the simulator.")
    node: str = Field(
        "province",
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="The name of this node among those of the province.",
    )
    node_role: Literal["province", "city"] = Field(
        "province", description="What this node is: `province` or `city`."
    )
    upstreams_file: str = Field(
        "",
        description="A file (TOML) of the identity providers whose sign-in this node believes, as "
        "`docs/operations.md` describes it. Empty: none.",
    )
    seal_nodes_file: str = Field(
        "",
        description="A file (TOML) of the cities whose seals this node's register tells as well, as "
        "`docs/operations.md` describes it. Empty: none.",
    )
    citizen_registration: Literal["here", "upstream"] = Field(
        "here",
        description="Where citizens register: `here`, or on the page of the first upstream that has "
        "one (`upstream`).",
    )
    citizen_sign_in: Literal["here", "upstream"] = Field(
        "here",
        description="Where citizens sign in: `here` and upstream as they like, or `upstream` alone.",
    )
    embedding_origins: str = Field(
        "",
        description="Origins of the city portals that may show the registration page in a frame, and "
        "have people sent back from it, with commas between.",
    )
    cas_services: str = Field(
        "",
        description="Old systems that sign in by CAS: `ADDRESS=CLIENT_ID` of each, with commas "
        "between. An address that ends in a slash stands for all that begin with it.",
    )
    simulators: bool = Field(
        True, description="Run the simulators of outside systems on a loopback port of their own."
    )
    worker: bool = Field(True, description="Run background jobs in this process.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important log line that is written."
    )

    @field_validator(*SECRETS[1:])
    @classmethod
    def _is_secret(cls, secret: SecretStr) -> SecretStr:
        if not _SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError(_SECRET_FORM)
        return secret

    @field_validator("key_encryption_key", "older_key_encryption_keys")
    @classmethod
    def _are_key_encryption_keys(cls, secret: SecretStr) -> SecretStr:
        if not all(map(_KEY_ENCRYPTION_KEY.fullmatch, _listed(secret.get_secret_value()))):
            raise ValueError(_KEY_FORM)
        return secret

    @field_validator("key_encryption_key_file")
    @classmethod
    def _is_told_once(cls, file: str, info: ValidationInfo) -> str:
        if file and info.data.get("key_encryption_key"):
            raise ValueError(f"cannot be set together with {variable('key_encryption_key')}")
        return file

    @field_validator("retired_algorithms")
    @classmethod
    def _names_algorithms_and_days(cls, told: str) -> str:
        for name in _retirements(told):
            if name not in ALGORITHMS:
                raise ValueError(f"there is no algorithm {name}, only {', '.join(ALGORITHMS)}")
        return told

    @field_validator("issuer")
    @classmethod
    def _is_at_the_public_address(cls, issuer: str, info: ValidationInfo) -> str:
        # Signing in goes from the endpoints to the pages and back: cookies are for one host.
        if issuer and info.data.get("public_url", "").rstrip("/") not in ("", _origin(issuer)):
            raise ValueError(f"must be at the address of {variable('public_url')}")
        return issuer

    @field_validator("mtls_url")
    @classmethod
    def _has_the_issuers_path(cls, url: str, info: ValidationInfo) -> str:
        path = urlsplit(info.data.get("issuer") or ISSUER_PATH).path
        if url and urlsplit(url).path != path:
            raise ValueError("must have the same path as the issuer")
        return url

    @field_validator("outgoing_ca_file")
    @classmethod
    def _holds_certificates(cls, file: str) -> str:
        try:
            if file:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError:  # what is in the file is no certificate: SSLError is one too
            raise ValueError("must be a file of certificates in PEM") from None
        return file

    @field_validator("trusted_proxies")
    @classmethod
    def _names_networks(cls, told: str) -> str:
        _networks(told)
        return told

    @field_validator("embedding_origins")
    @classmethod
    def _names_origins(cls, told: str) -> str:
        if not all(map(is_origin, _listed(told))):
            raise ValueError("must be origins, such as https://portal.city.example")
        return told

    @field_validator("cas_services")
    @classmethod
    def _names_services(cls, told: str) -> str:
        _services(told)
        return told

    @field_validator("citizen_registration", "citizen_sign_in")
    @classmethod
    def _has_upstreams(cls, told: str, info: ValidationInfo) -> str:
        if told == "upstream" and not info.data.get("upstreams_file"):
            raise ValueError(f"needs {variable('upstreams_file')}")
        return told

    @property
    def address(self) -> str:
        """The public address, without a slash at the end."""
        return (
            self.public_url.rstrip("/") or _origin(self.issuer) or f"http://localhost:{self.port}"
        )

    @property
    def embedders(self) -> frozenset[str]:
        """The origins of portals that our registration page may be embedded in."""
        return frozenset(_listed(self.embedding_origins))

    @property
    def old_systems(self) -> Mapping[str, str]:
        """By its address, the client that each old system is."""
        return _services(self.cas_services)

    def upstreams(self) -> tuple[Upstream, ...]:
        """Return the identity providers of the file. Raises `WrongSettingError`."""
        return _upstreams_in(Path(self.upstreams_file)) if self.upstreams_file else ()

    def seal_nodes(self) -> tuple[SealNode, ...]:
        """Return the cities of the file, by whose seals we are asked. Raises `WrongSettingError`."""
        return _seal_nodes_in(Path(self.seal_nodes_file)) if self.seal_nodes_file else ()

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of the proxies that are believed."""
        return _networks(self.trusted_proxies)

    def issuer_at(self, address: str) -> str:
        """Return the issuer identifier of the service at the public address."""
        return self.issuer or f"{address}{ISSUER_PATH}"

    @property
    def may_reach_loopback(self) -> bool:
        """Whether requests to clients' addresses may go to this machine."""
        told = self.outgoing_loopback
        return self.mode is not Mode.PRODUCTION if told is None else told

    @property
    def retirements(self) -> Mapping[str, date]:
        """By its name, the first day (UTC) on which an algorithm signs no more."""
        return _retirements(self.retired_algorithms)

    def source_url(self, source: str) -> str:
        """Return where an outside source is, by its name with hyphens; "" for the simulator."""
        return str(getattr(self, source_field(source)))

    def secret(self, name: str) -> str:
        """Return the text of one of `SECRETS`, from its variable or its file; "" if none is told.

        Raises `WrongSettingError` for a file that cannot be read or holds something else.
        """
        if name == "key_encryption_key" and self.key_encryption_key_file:
            return _key_in(Path(self.key_encryption_key_file))
        return str(getattr(self, name).get_secret_value())

    def older_keys(self) -> tuple[str, ...]:
        """Return the texts of the older key-encryption keys."""
        return tuple(_listed(self.older_key_encryption_keys.get_secret_value()))


class UnknownSettingError(OperatorMistake):
    """The environment names a setting that does not exist: a typing error nobody would notice."""


class WrongSettingError(OperatorMistake):
    """A setting has a value that it cannot have; the text names each, and shows no value."""


def load(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`.

    Raises `UnknownSettingError` for a `YINXIN_` name that is none of ours, `WrongSettingError` for
    a value that is wrong.
    """
    known = {variable(name) for name in Settings.model_fields}
    unknown = sorted(n for n in environment if n.startswith(PREFIX) and n not in known)
    if unknown:
        raise UnknownSettingError(f"unknown setting: {', '.join(unknown)} (see docs/settings.md)")
    try:
        return Settings(**_of_everybody(environment))
    except ValidationError as error:
        wrong = (f"{variable(str(fault['loc'][0]))}: {fault['msg']}" for fault in error.errors())
        raise WrongSettingError("\n".join(wrong)) from None


def _of_everybody(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what variables that are not ours alone tell, where ours do not."""
    authorities = environment.get("SSL_CERT_FILE", "")
    if authorities and not environment.get(variable("outgoing_ca_file")):
        return {"outgoing_ca_file": authorities}
    return {}


def source_field(source: str) -> str:
    """Return the field that says where an outside source is."""
    return f"{source.replace('-', '_')}_url"


def variable(field: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + field.upper()


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks. Raises ValueError."""
    try:
        return tuple(ip_network(part) for part in _listed(text))
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.0/8") from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def _retirements(text: str) -> dict[str, date]:
    """Read `NAME=YYYY-MM-DD, …`. Raises ValueError."""
    pairs = [part.partition("=") for part in _listed(text)]
    try:
        ends = {name: date.fromisoformat(day) for name, _, day in pairs}
    except ValueError:
        ends = {}
    if len(ends) != len(pairs):
        raise ValueError("must be NAME=YYYY-MM-DD, each name once, with commas between")
    return ends


def _services(text: str) -> dict[str, str]:
    """Read `ADDRESS=CLIENT_ID, …`. Raises ValueError."""
    pairs = [part.rpartition("=") for part in _listed(text)]
    found = {address: client_id for address, _, client_id in pairs}
    sound = all(_SERVICE.fullmatch(address) and client_id for address, client_id in found.items())
    if len(found) != len(pairs) or not sound:
        raise ValueError("must be ADDRESS=CLIENT_ID, each address once and with a path")
    return found


def _upstreams_in(file: Path) -> tuple[Upstream, ...]:
    name = variable("upstreams_file")
    try:
        return upstream_file.read(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettingError(f"{name}: cannot be read ({type(error).__name__})") from None
    except UpstreamFileWrong as wrong:
        raise WrongSettingError(f"{name}: {wrong}") from None


def _seal_nodes_in(file: Path) -> tuple[SealNode, ...]:
    name = variable("seal_nodes_file")
    try:
        return seal_nodes_file.read(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettingError(f"{name}: cannot be read ({type(error).__name__})") from None
    except SealNodesFileWrong as wrong:
        raise WrongSettingError(f"{name}: {wrong}") from None


def _key_in(file: Path) -> str:
    name = variable("key_encryption_key_file")
    try:
        text = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettingError(f"{name}: cannot be read ({type(error).__name__})") from None
    if not text or not _KEY_ENCRYPTION_KEY.fullmatch(text):
        raise WrongSettingError(f"{name}: its content {_KEY_FORM}")
    return text

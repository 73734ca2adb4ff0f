"""Every setting of the service, read from `YINXIN_*` in the environment and from nowhere else.

Each has a default that is good for trying things out. `refusals` lists, by name, what a production
service must not run with. `docs/settings.md` is generated from this file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from keys.algorithms import ALGORITHMS

PREFIX = "YINXIN_"
SANDBOX_MARK = "sandbox-"
SECRETS = ("key_encryption_key", "number_index_key", "number_seal_key", "session_secret")


TOKEN_MARK = "pkcs11-"  # noqa: S105 - it says that a token opens what follows

# 32 bytes, or nothing; a sandbox's own say what they are.
_SECRET = re.compile(rf"((?:{SANDBOX_MARK})?[0-9a-f]{{64}})?")
_KEY_ENCRYPTION_KEY = re.compile(rf"{_SECRET.pattern}|{TOKEN_MARK}(?:[0-9a-f]{{2}})+")
_SECRET_FORM = "must be 64 hexadecimal digits (openssl rand -hex 32)"  # noqa: S105
_KEY_FORM = f"{_SECRET_FORM}, or {TOKEN_MARK} and a key that the PKCS#11 token wrapped"


class Mode(StrEnum):
    """What the service is for. Only `sandbox` seeds people and runs simulators."""

    SANDBOX = "sandbox"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """The service's settings."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    mode: Mode = Field(Mode.SANDBOX, description="`sandbox`, `test` or `production`.")
    var: Path = Field(Path("var"), description="Folder of everything the service writes by itself.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    public_url: str = Field(
        "",
        description="The address people and portals use, without a slash at the end. "
        "It is printed in every code. Empty: `http://localhost:<port>`.",
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
    sms_gateway_url: str = Field("", description="The SMS gateway. Empty: the simulator.")
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

    @property
    def address(self) -> str:
        """The public address, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def retirements(self) -> Mapping[str, date]:
        """By its name, the first day (UTC) on which an algorithm signs no more."""
        return _retirements(self.retired_algorithms)

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


class UnknownSettingError(Exception):
    """The environment names a setting that does not exist: a typing error nobody would notice."""


class WrongSettingError(Exception):
    """A setting has a value that it cannot have; the text names each, and shows no value."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A setting that production does not accept, and why."""

    setting: str
    reason: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.reason}"


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
        return Settings()
    except ValidationError as error:
        wrong = (f"{variable(str(fault['loc'][0]))}: {fault['msg']}" for fault in error.errors())
        raise WrongSettingError("\n".join(wrong)) from None


def variable(field: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + field.upper()


def refusals(settings: Settings) -> tuple[Refusal, ...]:
    """Return what in `settings` production does not accept; nothing in the other modes."""
    if settings.mode is not Mode.PRODUCTION:
        return ()
    found = []
    if settings.simulators:
        found.append(
            Refusal(variable("simulators"), "simulators answer for no real person; set it to false")
        )
    for source in ("population_register_url", "sms_gateway_url"):
        if not getattr(settings, source).startswith("https://"):
            found.append(Refusal(variable(source), "must be the https URL of the real source"))
    if not settings.address.startswith("https://"):
        found.append(Refusal(variable("public_url"), "must be an https URL"))
    for secret in SECRETS:
        value = settings.secret(secret)
        if not value:
            found.append(
                Refusal(variable(secret), "must be set, and kept outside this machine's disk")
            )
        elif value.startswith(SANDBOX_MARK):
            found.append(Refusal(variable(secret), "is a sandbox secret; make one of your own"))
    if any(key.startswith(SANDBOX_MARK) for key in settings.older_keys()):
        found.append(Refusal(variable("older_key_encryption_keys"), "hold a sandbox secret"))
    return tuple(found)


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


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


def _key_in(file: Path) -> str:
    name = variable("key_encryption_key_file")
    try:
        text = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettingError(f"{name}: cannot be read ({type(error).__name__})") from None
    if not text or not _KEY_ENCRYPTION_KEY.fullmatch(text):
        raise WrongSettingError(f"{name}: its content {_KEY_FORM}")
    return text


def settings_page() -> str:
    """Return `docs/settings.md`, written from the fields above."""
    lines = [
        "# Settings",
        "",
        "All are environment variables. `.venv/bin/yinxin settings-page` writes this page from the code.",
        "",
        "| variable | default | what it is |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = default.get_secret_value() if isinstance(default, SecretStr) else str(default)
        lines.append(
            f"| `{variable(name)}` | {f'`{shown}`' if shown else ''} | {field.description} |"
        )
    strict = Settings.model_construct(mode=Mode.PRODUCTION)
    lines += ["", "`YINXIN_MODE=production` starts only when none of these is left:", ""]
    lines += [f"- `{refusal.setting}` {refusal.reason}." for refusal in refusals(strict)]
    return "\n".join(lines) + "\n"

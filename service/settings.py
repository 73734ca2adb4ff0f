"""Every setting of the service, read from `YINXIN_*` in the environment and from nowhere else.

Each has a default that is good for trying things out. `refusals` lists, by name, what a production
service must not run with. `docs/settings.md` is generated from this file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "YINXIN_"
SANDBOX_MARK = "sandbox-"
SECRETS = ("key_encryption_key", "number_index_key", "number_seal_key", "session_secret")


# 32 bytes, or nothing; a sandbox's own say what they are.
_SECRET = re.compile(rf"((?:{SANDBOX_MARK})?[0-9a-f]{{64}})?")


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
        description="Wraps every private key at rest: 64 hex digits, like the next three. "
        "Empty: made once under `var`.",
    )
    number_index_key: SecretStr = Field(
        SecretStr(""), description="Finds people by ID number without storing it. Empty: made once."
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

    @field_validator(*SECRETS)
    @classmethod
    def _is_secret(cls, secret: SecretStr) -> SecretStr:
        if not _SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("must be 64 hexadecimal digits (openssl rand -hex 32)")
        return secret

    @property
    def address(self) -> str:
        """The public address, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"


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
        value = getattr(settings, secret).get_secret_value()
        if not value:
            found.append(
                Refusal(variable(secret), "must be set, and kept outside this machine's disk")
            )
        elif value.startswith(SANDBOX_MARK):
            found.append(Refusal(variable(secret), "is a sandbox secret; make one of your own"))
    return tuple(found)


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

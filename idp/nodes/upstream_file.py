"""The upstreams of this node as its operator writes them down: a file of TOML, read strictly.

A member we do not know is refused like a wrong one: a level map with a typing error must not pass.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idp.level_map import LevelMap, LevelMapWrong, Row, as_it_is, level_map
from idp.recognition_partner import SHORTEST_KEY, Partner
from idp.upstream import CLAIMS, SCOPES, Upstream

_ADDRESS = r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*$"
_PAGE = r"^https?://[\x21-\x7e]+$"
_Particular = Annotated[str, Field(pattern=rf"^({'|'.join(CLAIMS)})$")]
_Line = Annotated[str, Field(min_length=1, max_length=60)]


class UpstreamFileWrong(ValueError):
    """The file cannot be used; the text says where, and quotes nothing of it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Level(_Strict):
    acr: Annotated[str, Field(min_length=1, max_length=200)]
    theirs: int
    here: int


class _Upstream(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    issuer: Annotated[str, Field(pattern=_ADDRESS)]
    client_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
    label_zh: _Line
    label_en: _Line
    levels: Literal["as-asserted"] | list[_Level]
    scopes: list[Annotated[str, Field(pattern=r"^[\x21-\x7e]+$")]] = list(SCOPES)
    claims: dict[_Particular, str] = Field(default_factory=dict)
    key_algorithm: Literal["ES256", "RS256", "PS256", "EdDSA", "SGD_SM3_SM2"] = "ES256"
    registration_url: Annotated[str, Field(pattern=rf"{_PAGE}|^$")] = ""
    recognition_key_file: str = ""


class _File(_Strict):
    upstream: list[_Upstream]


def read(text: str) -> tuple[Upstream, ...]:
    """Return the upstreams in their order. Raises `UpstreamFileWrong`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise UpstreamFileWrong(f"is no TOML: {wrong}") from None
    try:
        found = _File.model_validate(document).upstream
    except ValidationError as wrong:
        raise UpstreamFileWrong(_where(wrong)) from None
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise UpstreamFileWrong("two upstreams have one name")
    return tuple(_upstream(one) for one in found)


def _upstream(told: _Upstream) -> Upstream:
    if "openid" not in told.scopes:
        raise UpstreamFileWrong(f"{told.name}: the scopes must have openid")
    return Upstream(
        name=told.name,
        issuer=told.issuer,
        client_id=told.client_id,
        label_zh=told.label_zh,
        label_en=told.label_en,
        levels=_levels(told),
        scopes=tuple(told.scopes),
        claims={**CLAIMS, **told.claims},
        key_algorithm=told.key_algorithm,
        registration_url=told.registration_url,
        partner=_partner(told),
    )


def _partner(told: _Upstream) -> Partner | None:
    if not told.recognition_key_file:
        return None
    try:
        key = bytes.fromhex(Path(told.recognition_key_file).read_text("ascii").strip())
        return Partner(told.name, key)
    except (OSError, ValueError):
        wrong = f"must hold {SHORTEST_KEY} bytes or more, in hexadecimal"
        raise UpstreamFileWrong(f"{told.name}: recognition_key_file {wrong}") from None


def _levels(told: _Upstream) -> LevelMap:
    if told.levels == "as-asserted":
        return as_it_is()
    try:
        return level_map(Row(row.acr, row.theirs, row.here) for row in told.levels)
    except LevelMapWrong as wrong:
        raise UpstreamFileWrong(f"{told.name}: {wrong}") from None


def _where(wrong: ValidationError) -> str:
    faults: list[Any] = wrong.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)

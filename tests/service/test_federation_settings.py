"""Settings of a node among others, and what production makes of them."""

from pathlib import Path

import pytest

from service.refusals import refusals
from service.settings import Settings, WrongSettingError, load
from tests.idp.nodes.test_upstream_file import PROVINCE


def settings(**changed: object) -> Settings:
    return Settings.model_validate({"mode": "production", **changed})


def refused(**changed: object) -> set[str]:
    return {refusal.setting for refusal in refusals(settings(**changed))}


def test_production_takes_upstreams_portals_and_old_systems_over_https_only(tmp_path: Path) -> None:
    file = tmp_path / "upstreams.toml"
    file.write_text(PROVINCE, "utf-8")
    told = {
        "upstreams_file": str(file),
        "embedding_origins": "https://portal.example",
        "cas_services": "https://oa.example/=oa",
    }
    variables = {"YINXIN_UPSTREAMS_FILE", "YINXIN_EMBEDDING_ORIGINS", "YINXIN_CAS_SERVICES"}
    assert not refused(**told) & variables
    file.write_text(PROVINCE.replace("https:", "http:"), "utf-8")
    plain = {name: value.replace("https:", "http:") for name, value in told.items()}
    assert refused(**plain) >= variables


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("YINXIN_EMBEDDING_ORIGINS", "https://portal.example/path"),
        ("YINXIN_EMBEDDING_ORIGINS", "https://*.example"),
        ("YINXIN_CAS_SERVICES", "https://oa.example=oa"),
        ("YINXIN_CAS_SERVICES", "https://oa.example/="),
        ("YINXIN_CAS_SERVICES", "https://oa.example/=a, https://oa.example/=b"),
        ("YINXIN_CITIZEN_SIGN_IN", "upstream"),
        ("YINXIN_CITIZEN_REGISTRATION", "upstream"),
        ("YINXIN_NODE_ROLE", "county"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettingError, match=name):
        load({name: value})


def test_a_file_of_upstreams_that_is_wrong_is_told_by_its_setting(tmp_path: Path) -> None:
    file = tmp_path / "upstreams.toml"
    with pytest.raises(WrongSettingError, match="YINXIN_UPSTREAMS_FILE"):
        settings(upstreams_file=str(file)).upstreams()
    file.write_text("[[upstream]", "utf-8")
    with pytest.raises(WrongSettingError, match="YINXIN_UPSTREAMS_FILE"):
        settings(upstreams_file=str(file)).upstreams()

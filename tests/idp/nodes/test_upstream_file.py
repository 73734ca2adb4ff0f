"""What an operator writes about upstreams is read to the letter, or refused with the place named."""

import re
from pathlib import Path

import pytest

from idp.levels import NATURAL
from idp.nodes.upstream_file import UpstreamFileWrong, read
from idp.recognition_partner import Partner
from idp.upstream import CLAIMS, SCOPES

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
PROVINCE = """
[[upstream]]
name = "province"
issuer = "https://id.province.example/oidc"
client_id = "city-a"
label_zh = "省级账号"
label_en = "Provincial account"
levels = "as-asserted"
"""
NATIONAL = """
[[upstream]]
name = "national"
issuer = "https://national.example"
client_id = "province"
label_zh = "国家平台"
label_en = "National platform"
key_algorithm = "PS256"
scopes = ["openid", "citizen"]
claims = { number = "citizen.id", document = "" }
levels = [
  { acr = "https://national.example/low", theirs = 1, here = 1 },
  { acr = "https://national.example/high", theirs = 3, here = 2 },
]
"""


def test_the_province_needs_few_words() -> None:
    (province,) = read(PROVINCE)
    assert (province.scopes, province.claims) == (SCOPES, CLAIMS)
    assert province.levels.mapped(NATURAL[2].acr) == 2


def test_a_third_upstream_has_its_own_claims_and_levels() -> None:
    _, national = read(PROVINCE + NATIONAL)
    assert national.claims["number"] == "citizen.id"
    assert national.claims["name"] == "name"
    assert national.levels.mapped("https://national.example/high") == 2
    assert national.levels.mapped(NATURAL[2].acr) == 0


def test_the_example_of_the_operations_page_is_a_file_as_it_stands() -> None:
    part = PAGE.read_text("utf-8").partition("\n## Province and cities\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"^```toml\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    province, national = read(example)
    assert province.registration_url == "https://id.province.example/register/from"
    assert national.levels.mapped("https://national.example/high") == 2
    assert national.claims["handle"] == "citizen.handle"


def test_the_key_of_a_partner_is_read_from_its_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    told = PROVINCE + f'recognition_key_file = "{key}"'
    for wrong in ("", "7" * 62, "no hexadecimal" * 8):
        key.write_text(wrong, "utf-8")
        with pytest.raises(UpstreamFileWrong, match="recognition_key_file"):
            read(told)
    key.write_text("7" * 64 + "\n", "utf-8")
    (province,) = read(told)
    assert province.partner == Partner("province", bytes.fromhex("7" * 64))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[[upstream]", "TOML"),
        ("[[upstream]]\nname = 'x'", "upstream.0.issuer"),
        (PROVINCE + 'surprise = "x"', "upstream.0.surprise"),
        (PROVINCE.replace("as-asserted", "everything"), "upstream.0.levels"),
        (PROVINCE + PROVINCE, "one name"),
        (PROVINCE.replace('"province"', '"../x"'), "upstream.0.name"),
        (PROVINCE.replace("https://id", "ftp://id"), "upstream.0.issuer"),
        (NATIONAL.replace('"openid", ', ""), "openid"),
        (NATIONAL.replace("here = 2", "here = 3"), "national"),
        (NATIONAL.replace("theirs = 1, here = 1", "theirs = 1, here = 2"), "asserted"),
        (NATIONAL.replace("theirs = 3", "their = 3"), "upstream.0.levels"),
        (PROVINCE + 'client_secret = "hush-hush"', "client_secret"),
    ],
    ids=range(12),
)
def test_a_fault_is_named_and_nothing_quoted(text: str, place: str) -> None:
    with pytest.raises(UpstreamFileWrong) as wrong:
        read(text)
    assert place in str(wrong.value)
    assert "hush-hush" not in str(wrong.value)

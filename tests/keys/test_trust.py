import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import rfc8785

from keys import jose
from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.software_signer import SoftwareSigner, generate
from keys.trust import (
    CONTENT_TYPE,
    TrustedIssuer,
    TrustedKey,
    TrustList,
    TrustListWrong,
    read_trust_list,
    sign_trust_list,
)


@pytest.fixture
def trust_list(now: datetime) -> TrustList:
    def key(purpose: Purpose, until: datetime | None = None) -> TrustedKey:
        algorithm = SM2_SM3 if purpose is Purpose.OFD_SEAL else ES256
        return TrustedKey(SoftwareSigner(generate(algorithm)).public_key, purpose, now, until)

    data, code = key(Purpose.LICENCE_DATA), key(Purpose.LICENCE_CODE, now + timedelta(days=1))
    housing = TrustedIssuer("11330100MBXX00027W", "示例市住房和城乡建设局", (data, code))
    market = TrustedIssuer("11410900MBXX00035F", "示例市市场监督管理局", (key(Purpose.OFD_SEAL),))
    return TrustList(7, now, (b"\x30\x01", b"\x30\x02"), (housing, market))


def test_a_trust_list_survives_the_round(trust_list: TrustList, signer: SoftwareSigner) -> None:
    assert read_trust_list(sign_trust_list(trust_list, signer), signer.public_key) == trust_list


def test_a_list_signed_by_anyone_else_is_refused(
    trust_list: TrustList, signer: SoftwareSigner
) -> None:
    stranger = SoftwareSigner(generate(ES256))
    with pytest.raises(jose.TokenUnknownKey):
        read_trust_list(sign_trust_list(trust_list, stranger), signer.public_key)


def test_a_key_is_found_by_name_and_purpose_together(trust_list: TrustList) -> None:
    issuer = trust_list.issuers[0]
    data, code = issuer.keys
    assert trust_list.key(data.public_key.kid, Purpose.LICENCE_DATA) == (issuer, data)
    assert trust_list.key(code.public_key.kid, Purpose.LICENCE_CODE) == (issuer, code)
    assert trust_list.key(data.public_key.kid, Purpose.LICENCE_CODE) is None
    assert trust_list.key("0" * 16, Purpose.LICENCE_DATA) is None


def test_a_key_counts_from_its_first_second_until_before_its_end(
    trust_list: TrustList, now: datetime
) -> None:
    endless, ending = trust_list.issuers[0].keys
    second = timedelta(seconds=1)
    assert [ending.good_at(now + d) for d in (-second, 0 * second, timedelta(days=1) - second)] == [
        False,
        True,
        True,
    ]
    assert not ending.good_at(now + timedelta(days=1))
    assert endless.good_at(now + timedelta(days=40000))


def test_the_same_list_is_the_same_bytes(trust_list: TrustList, signer: SoftwareSigner) -> None:
    first, second = (sign_trust_list(trust_list, signer).split(".")[1] for _ in range(2))
    assert first == second
    newer = replace(trust_list, version=8)
    assert sign_trust_list(newer, signer).split(".")[1] != first


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("version"),
        lambda d: d.update(made_at="yesterday"),
        lambda d: d.update(anchors=["not base64!"]),
        lambda d: d.update(issuers=[1]),
        lambda d: d["issuers"][0]["keys"][0].update(purpose="everything"),
        lambda d: d["issuers"][0]["keys"][0]["jwk"].update(kid="0000000000000000"),
        lambda d: d["issuers"][0]["keys"][0].pop("valid_until"),
    ],
)
def test_a_signed_list_of_another_shape_is_refused(
    change: Change, trust_list: TrustList, signer: SoftwareSigner
) -> None:
    token = sign_trust_list(trust_list, signer)
    document = json.loads(jose.verify_bytes(token, {signer.public_key.kid: signer.public_key}))
    change(document)
    changed = jose.sign_bytes(rfc8785.dumps(document), signer, CONTENT_TYPE)
    with pytest.raises(TrustListWrong):
        read_trust_list(changed, signer.public_key)


def test_another_document_by_the_same_key_is_no_trust_list(signer: SoftwareSigner) -> None:
    with pytest.raises(jose.TokenWrongType):
        read_trust_list(jose.sign_bytes(b"{}", signer, "application/json"), signer.public_key)

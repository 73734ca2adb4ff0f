"""What of a seal signature (GB/T 38540-2020) is legible but not as all readers expect it.

Readers in the field encode a seal again from what they understood, and compare: what comes out
otherwise fails there though the signature is right. Other fields merely contradict the rest.
"""

import re
from collections.abc import Iterator
from typing import Any

from asn1crypto import core

from keys.algorithms import SM2_SM3
from seal.der_counting import check_count

# Some 120 certificates.
_MOST_LISTED_BYTES = 128 * 1024

_WHOLE, _BY_DIGEST = 1, 2
_KINDS = {_WHOLE: "certificate", _BY_DIGEST: "digest"}
# X.690 §11.7.3: a fraction of a second does not end in 0.
_TRAILING_ZERO = re.compile(rb"\.\d*0(?:Z|[+-]\d{4})?$")


def check_closed(value: Any) -> None:
    """Check that no structure holds more than it defines, and no list endless things. Raises `ValueError`.

    asn1crypto passes over what follows the last field, and so would whoever reads the report.
    """
    if isinstance(value, core.Sequence):
        if len(value) > len(value._fields):
            raise ValueError("more than is defined")
        for name, *_ in value._fields:
            check_closed(value[name])
    elif isinstance(value, core.SequenceOf):
        if len(value.contents) > _MOST_LISTED_BYTES:
            raise ValueError("too long a list")
        check_count(value.contents)
        for element in value:
            check_closed(element)
    elif isinstance(value, core.Choice):
        check_closed(value.chosen)


def inexact(signed: Any) -> tuple[str, ...]:
    """Return the fields of an SES_Signature that would be encoded otherwise by who reads it."""
    return tuple(_inexact(signed["to_sign"]))


def contradictory(signed: Any) -> tuple[str, ...]:
    """Return the fields of an SES_Signature that say another thing than the rest of it."""
    return tuple(_contradictory(signed))


def _inexact(tbs: Any) -> Iterator[str]:
    info = tbs["eseal"]["e_seal_info"]
    if _leaves_critical_out(info["ext_datas"]):
        yield "eSealInfo.extDatas.critical"
    if _leaves_critical_out(tbs["ext_datas"]):
        yield "toSign.extDatas.critical"
    times = {"toSign.timeInfo": tbs["time_info"]} | {
        f"eSealInfo.property.{name}": info["property"][field]
        for name, field in (
            ("createDate", "create_date"),
            ("validStart", "valid_start"),
            ("validEnd", "valid_end"),
        )
    }
    for name, time in times.items():
        if _TRAILING_ZERO.search(time.contents):
            yield name


def _leaves_critical_out(extensions: Any) -> bool:
    return any(not extension["critical"].contents for extension in extensions or ())


def _contradictory(signed: Any) -> Iterator[str]:
    seal = signed["to_sign"]["eseal"]
    info = seal["e_seal_info"]
    if signed["to_sign"]["version"].native != info["header"]["version"].native:
        yield "toSign.version"
    listed = info["property"]
    kind = _KINDS.get(listed["cert_list_type"].native)
    if any(entry.name != kind for entry in listed["cert_list"]):
        yield "eSealInfo.property.certListType"
    for name, algorithm in (
        ("eseal.signAlgID", seal["sign_alg_id"]),
        ("signatureAlgID", signed["signature_alg_id"]),
    ):
        if algorithm.dotted != SM2_SM3.signature_oid:
            yield name

"""Parts put into a sealed file (夹带), and the signed list of parts that stops them."""

from functools import cache

import pytest

from keys.certificates import ROOT, SEAL_SIGNER
from seal import ofd_integrity, ofd_package
from seal.ofd_draft import Mode
from seal.ofd_integrity import LIST, VALUE
from seal.ofd_seal import stamp
from seal.stamp_places import At
from tests.seal.ofd_builders import (
    BOX,
    PAGE,
    SIGNATURE,
    SIGNED_AT,
    Change,
    altered,
    entries,
    holder,
    plain_ofd,
    replacing,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.ofd_judging import codes, judge, troubles
from tests.seal.seal_versions import signed_data


@cache
def listed() -> bytes:
    """The stamped face with a list of its parts, signed by the same body."""
    owner = seal_world().owner
    return ofd_integrity.protect(stamped_ofd(), owner.signer, owner.certificate, SIGNED_AT)


def test_a_file_without_a_list_says_so() -> None:
    assert "ofd.integrity.none" in codes(judge(stamped_ofd()))


def test_a_list_of_all_parts_is_in_order() -> None:
    report = judge(listed())
    assert troubles(report) == set()
    assert "ofd.integrity.ok" in codes(report)


def test_a_smuggled_part_fails_where_there_is_a_list() -> None:
    assert troubles(judge(altered(listed(), {"Doc_0/hidden.bin": b"x"}))) == {
        ("warning", "ofd.coverage.unreferenced", "Doc_0/hidden.bin"),
        ("failed", "ofd.integrity.unlisted", "Doc_0/hidden.bin"),
    }


def test_a_signer_who_knows_of_no_list_is_only_remarked() -> None:
    parts = entries(stamped(stamped_ofd()))
    lists = {name: entries(listed())[name] for name in (LIST, VALUE)}
    found = troubles(judge(ofd_package.write(parts | lists)))
    assert {(outcome, code) for outcome, code, _ in found} == {
        ("warning", "ofd.integrity.unlisted")
    }
    assert len(found) == 3


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        (
            {LIST: replacing(f'FileLoc="/{PAGE}"'.encode(), b'FileLoc="/Doc_0/other.xml"')},
            ("failed", "ofd.integrity.bad", ""),
        ),
        (
            {LIST: replacing(f'FileLoc="/{PAGE}"'.encode(), b'FileLoc="/Doc_0/other.xml"')},
            ("failed", "ofd.integrity.missing_part", "Doc_0/other.xml"),
        ),
        ({LIST: b"no xml"}, ("failed", "ofd.integrity.unreadable", LIST)),
        ({VALUE: b"rubbish"}, ("failed", "ofd.integrity.unreadable", VALUE)),
        ({VALUE: None}, ("failed", "ofd.integrity.unreadable", VALUE)),
    ],
    ids=["changed", "names another", "no xml", "rubbish value", "no value"],
)
def test_a_list_that_does_not_hold_is_told(
    changes: dict[str, Change], trouble: tuple[str, str, str]
) -> None:
    assert trouble in troubles(judge(altered(listed(), changes)))


def test_a_list_by_a_stranger_counts_for_nothing() -> None:
    stranger = holder(SEAL_SIGNER, "别家", holder(ROOT, "别家根证书"))
    smuggled = altered(stamped_ofd(), {"Doc_0/hidden.bin": b"x"})
    forged = ofd_integrity.protect(smuggled, stranger.signer, stranger.certificate, SIGNED_AT)
    assert ("failed", "ofd.integrity.untrusted", "") in troubles(judge(forged))


def test_a_list_whose_signer_cannot_be_judged_is_not_in_order() -> None:
    """Without signed attributes nothing tells when it was signed."""
    undated = signed_data(entries(listed())[LIST], seal_world().owner, attributes=False)
    assert troubles(judge(altered(listed(), {VALUE: undated}))) == {
        ("unknown", "ofd.integrity.doubtful", "")
    }


def test_the_same_number_twice_in_the_list_of_signatures_is_told() -> None:
    twice = stamped(stamped_ofd())
    change = replacing(b'<ofd:Signature ID="s003"', b'<ofd:Signature ID="s001"')
    assert troubles(judge(altered(twice, {"Doc_0/Signs/Signatures.xml": change}))) == {
        ("warning", "ofd.signatures.repeated_id", "s001")
    }


def test_one_signature_told_of_twice_is_remarked() -> None:
    def repeated(content: bytes) -> bytes:
        record = content[content.index(b"<ofd:Signature ID") :].split(b"/>")[0] + b"/>"
        return content.replace(record, record + record)

    report = judge(altered(stamped_ofd(), {"Doc_0/Signs/Signatures.xml": repeated}))
    assert troubles(report) == {
        ("warning", "ofd.signatures.repeated_id", "s001"),
        ("warning", "ofd.signatures.repeated_part", SIGNATURE),
    }
    assert len(report.seals) == 1


def test_whether_others_may_sign_after_is_told() -> None:
    assert "ofd.protection.continued" in codes(judge(stamped_ofd()))
    world = seal_world()
    owner = world.owner
    whole = stamp(
        plain_ofd(),
        world.seal,
        owner.signer,
        owner.certificate,
        At(0, BOX.x, BOX.y),
        SIGNED_AT,
        mode=Mode.WHOLE,
    )
    assert "ofd.protection.whole" in codes(judge(whole))

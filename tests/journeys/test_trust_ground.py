"""The trust ground from nothing, as an operator's commands build it, judged by OpenSSL."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from keys.public_keys import public_key
from tests.conftest import Clone
from tests.console import Console

_USCC = "11990100MBXX90018M"
_PORTAL = (
    f"--common-name portal.example.cn --organization 示例局 --uscc {_USCC} --dns portal.example.cn"
)

Province = Callable[[str], Console]


@pytest.fixture
def province(clone: Clone, template_with_tables: str, tmp_path: Path) -> Iterator[Province]:
    """Return a function that gives a place its console, on an empty database of its own."""
    with ExitStack() as databases:

        def founded(name: str) -> Console:
            folder = tmp_path / name
            folder.mkdir()
            url = databases.enter_context(clone(template_with_tables))
            return Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(folder)}, folder)

        yield founded


def test_certificates_live_and_die_as_openssl_sees_them(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    _found_root(yinxin)
    _found_under_it(yinxin, "staff-ca", "system")
    request, chain = _request(yinxin.folder), yinxin.folder / "chain.pem"
    (issued,) = yinxin(f"ca issue staff-ca system {request} {_PORTAL} --out", chain)
    leaf, staff_ca, root = _split(chain)
    # One step at a time: OpenSSL 3.0 tells its user id to the certificate in hand, not to those between.
    assert _leads_to(staff_ca, root)
    assert _leads_to(leaf, staff_ca)
    assert not _leads_to(leaf, root)

    serial = issued["serial"]
    assert [found["serial"] for found in yinxin(f"ca list --unit {_USCC}")] == [serial]
    assert yinxin("ca list --expiring 30") == []
    (suspended,) = yinxin(f"ca suspend staff-ca {serial}")
    (resumed,) = yinxin(f"ca resume staff-ca {serial}")
    assert (suspended["state"], resumed["state"]) == ("suspended", "valid")
    (renewed,) = yinxin(f"ca renew staff-ca {serial}")
    assert renewed["serial"] != serial

    yinxin(f"ca revoke staff-ca {serial} --reason keyCompromise --yes")
    revoked = yinxin.folder / "staff.crl"
    yinxin("ca crl staff-ca --out", revoked)
    told = _said("openssl", "crl", "-inform", "DER", "-in", revoked, "-noout", "-text")
    assert serial.upper() in told
    assert "Key Compromise" in told
    # Others may have the key: nobody gets a certificate for it again.
    again = yinxin.refused(f"ca issue staff-ca system {request} {_PORTAL}")
    assert again == "certificate.key_compromised"


def test_a_certificate_issued_on_the_spot_counts_when_both_signed(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    _found_root(yinxin)
    _found_under_it(yinxin, "people-ca", "person", "staff")
    clerk, citizen = yinxin.folder / "clerk", yinxin.folder / "citizen"
    for folder in (clerk, citizen):
        folder.mkdir()
        _request(folder)
    staff = f"--common-name 'Clerk Qin' --organization 示例局 --uscc {_USCC} --number C-17"
    yinxin(f"ca issue people-ca staff {clerk / 'request.pem'} {staff}")
    receipt = yinxin.folder / "receipt.json"
    (begun,) = yinxin(
        f"ca enrol begin people-ca person {citizen / 'request.pem'} {receipt}",
        *("--common-name", "Citizen Lan", "--number", "P-1", "--clerk-kid", _kid(clerk)),
        *("--checked", "identity-card-read", "--checked", "face-compared"),
    )
    assert begun["state"] == "suspended"
    resumed = yinxin.refused(f"ca resume people-ca {begun['serial']}")
    assert resumed == "enrolment.receipt_open"

    signed = {folder: _signed(folder, receipt) for folder in (clerk, citizen)}
    finish = f"ca enrol finish {begun['sitting']}"
    swapped = f"--clerk-signature {signed[citizen]} --holder-signature {signed[clerk]}"
    assert yinxin.refused(f"{finish} {swapped}") == "enrolment.receipt_not_signed"
    right = f"--clerk-signature {signed[clerk]} --holder-signature {signed[citizen]}"
    (issued,) = yinxin(f"{finish} {right}")
    assert issued["state"] == "valid"
    assert yinxin.refused(f"{finish} {right}") == "enrolment.unknown"


def test_a_guarded_key_waits_for_two_persons(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    make = "keys make seal-maker service --algorithm SM2-SM3"
    assert yinxin.refused(make) == "consent.missing"
    asked = yinxin("keys ask key.make 'seal-maker service'", *yinxin.one("wen"))
    agree = f"keys agree {asked['request']}"
    assert yinxin.refused(agree, *yinxin.one("wen")) == "consent.same_person"
    assert yinxin.refused(make) == "consent.missing"
    assert [request["asked_by"] for request in yinxin("keys requests")] == ["wen"]
    yinxin.says(agree, *yinxin.one("lin"))
    (made,) = yinxin(make)
    assert made["state"] == "active"
    assert yinxin.refused(make) == "consent.missing"


def test_keys_are_backed_up_destroyed_and_taken_back_elsewhere(province: Province) -> None:
    north, south = _with_custodians(province("north")), province("south")
    (kept,) = north("keys make status-list service")
    (lost,) = north(f"keys make licence-data {_USCC}")
    secret, file = _written(north, "a long passphrase for the safe"), north.folder / "keys.backup"
    backup = f"keys backup {file} --passphrase-file {secret}"
    assert north.refused(backup) == "consent.missing"
    assert not file.exists()
    (summary,) = north(backup, *north.both)
    assert (summary["keys"], summary["custodians"]) == (2, 2)
    assert "keys.backup" in north.refused(backup, *north.both)

    north(f"keys retire {lost['kid']} --yes")
    destroy = f"keys destroy {lost['kid']} --yes"
    assert north.refused(destroy) == "consent.missing"
    (destroyed,) = north(destroy, *north.both)
    assert (destroyed["state"], destroyed["kept"]) == ("destroyed", "nowhere")

    wrong = _written(south, "another passphrase altogether")
    restore = f"keys restore {file} --yes --passphrase-file"
    assert south.refused(restore, wrong) == "backup.unreadable"
    assert south("keys list") == []
    south(restore, secret)
    assert _states(south) == {kept["kid"]: "active", lost["kid"]: "active"}
    assert [found["name"] for found in south("keys custodians")] == ["lin", "wen"]
    # Where it was destroyed it stays so: that was decided after the backup was made.
    north(restore, secret)
    assert _states(north) == {kept["kid"]: "active", lost["kid"]: "destroyed"}


def test_a_province_takes_another_ones_authorities_over_after_review(province: Province) -> None:
    north, south = province("north"), province("south")
    for yinxin in (north, south):
        _with_custodians(yinxin)
        _found_root(yinxin)
        _sign_trust_root(yinxin)
    _found_under_it(north, "north-seals", "seal-signer")
    told, pinned = north.folder / "list.json", north.folder / "root.json"
    north(f"trust export {told} --pinned {pinned}")
    (checked,) = south(f"trust check {told} --pinned {pinned}")
    assert checked["authorities"] == 1
    ours = south.folder / "root.json"
    south(f"trust export {south.folder / 'list.json'} --pinned {ours}")
    refused = south.refused(f"trust check {told} --pinned {ours}")
    assert refused == "trust_root.signatures_missing"

    put_up = f"trust import {told} --pinned {pinned} --source north --purpose ofd-seal"
    (proposed,) = south(put_up, *south.one("wen"))
    assert (proposed["name"], proposed["state"]) == ("north-seals", "proposed")
    accept = f"trust accept {proposed['number']}"
    assert south.refused(accept, *south.one("wen")) == "foreign_trust.same_person"
    (accepted,) = south(accept, *south.one("lin"))
    assert (accepted["state"], accepted["reviewed_by"]) == ("accepted", "lin")
    (exported,) = south(f"trust export {south.folder / 'after.json'}")
    assert exported["authorities"] == 1
    (withdrawn,) = south(f"trust withdraw {proposed['number']} --yes", *south.one("lin"))
    assert withdrawn["until"] is not None


def test_what_was_done_is_in_the_journal_and_the_journal_holds(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    yinxin("keys make journal service")
    chained = yinxin("audit chain")["position"]
    verified = yinxin("audit verify")
    assert (verified["rows"], verified["heads"]) == (chained, 1)
    assert "holds" in yinxin.says("audit verify")
    assert yinxin("audit chain")["position"] is None


def _with_custodians(yinxin: Console) -> Console:
    yinxin.custodians()
    return yinxin


def _states(yinxin: Console) -> dict[str, str]:
    return {key["kid"]: key["state"] for key in yinxin("keys list")}


def _found_root(yinxin: Console) -> None:
    named = "--common-name 'Example Root' --organization 'Example Province'"
    yinxin(f"ca init root --algorithm SM2-SM3 {named}", *yinxin.both)


def _found_under_it(yinxin: Console, name: str, *profiles: str) -> None:
    named = f"--common-name 'CA {name}' --organization 'Example Province'"
    issued = " ".join(f"--profile {profile}" for profile in profiles)
    yinxin(f"ca init {name} --parent root {issued} {named}", *yinxin.both)


def _sign_trust_root(yinxin: Console) -> None:
    for number in (1, 2, 3):
        yinxin(f"keys make trust-root trust-root-{number}", *yinxin.both)
    yinxin("keys make trust-list service")
    (root,) = yinxin("trust root", *yinxin.both)
    assert (root["version"], root["threshold"]) == (1, 2)


def _request(folder: Path) -> Path:
    """Let OpenSSL make a key and a signing request for it, as a portal's operator would."""
    request = folder / "request.pem"
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    kept = ("-keyout", folder / "key.pem", "-out", request, "-subj", "/CN=anything")
    _said("openssl", "req", "-new", *key, *kept)
    return request


def _kid(folder: Path) -> str:
    """Return the name of a device's key, as Yinxin will call it."""
    public = ("openssl", "pkey", "-in", folder / "key.pem", "-pubout", "-outform", "DER")
    return public_key(subprocess.run(public, capture_output=True, check=True).stdout).kid


def _signed(folder: Path, document: Path) -> Path:
    """Let a device sign a document."""
    signature = folder / "receipt.sig"
    _said("openssl", "dgst", "-sha256", "-sign", folder / "key.pem", "-out", signature, document)
    return signature


def _leads_to(certificate: Path, issuer: Path) -> bool:
    distid = ("-vfyopt", "distid:1234567812345678")
    trusted = ("-x509_strict", "-partial_chain", "-trusted", issuer)
    command = ("openssl", "verify", *distid, *trusted, certificate)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _split(chain: Path) -> list[Path]:
    mark = "-----BEGIN CERTIFICATE-----"
    files = []
    for number, pem in enumerate(chain.read_text("ascii").split(mark)[1:]):
        files.append(chain.with_name(f"certificate-{number}.pem"))
        files[-1].write_text(mark + pem, "ascii")
    return files


def _written(yinxin: Console, passphrase: str) -> Path:
    file = yinxin.folder / "passphrase.txt"
    file.write_text(passphrase, "utf-8")
    return file


def _said(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout

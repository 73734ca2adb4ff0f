"""The trust ground from nothing, as an operator's commands build it, judged by OpenSSL."""

import subprocess
from pathlib import Path

from keys.public_keys import public_key
from tests.console import Console, Province

_USCC = "11990100MBXX90018M"
_PORTAL = (
    f"--common-name portal.example.cn --organization 示例局 --uscc {_USCC} --dns portal.example.cn"
)


def test_certificates_live_and_die_as_openssl_sees_them(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    _found_root(yinxin)
    _found_under_it(yinxin, "staff-ca", "system")
    request, chain = _request(yinxin.folder), yinxin.folder / "chain.pem"
    (issued,) = yinxin(f"ca issue staff-ca system {request} {_PORTAL} --out", chain)
    leaf, staff_ca, root = _split(chain)
    once_more = yinxin.folder / "again.pem"
    assert yinxin(f"ca show staff-ca {issued['serial']} --out", once_more) == [issued]
    assert once_more.read_bytes() == chain.read_bytes()
    # What is there already is not written over, and nothing is issued for it.
    taken = yinxin.refused(f"ca issue staff-ca system {request} {_PORTAL} --out", once_more)
    assert "again.pem" in taken
    assert len(yinxin("ca list --profile system")) == 1
    # One step at a time: OpenSSL 3.0 tells its user id to the certificate in hand, not to those between.
    assert _leads_to(staff_ca, root)
    assert _leads_to(leaf, staff_ca)
    assert not _leads_to(leaf, root)

    serial = issued["serial"]
    assert [found["serial"] for found in yinxin(f"ca list --unit {_USCC}")] == [serial]
    assert yinxin("ca list --expiring 30") == []
    soon = f"{_PORTAL} --days 20"
    (sooner,) = yinxin(f"ca issue staff-ca system {request} {soon}")
    assert [found["id"] for found in yinxin("ca list --expiring 400")] == [
        sooner["id"],
        issued["id"],
    ]
    assert yinxin("ca list --expiring 400 --state suspended") == []
    counted = {(row["authority"], row["profile"], row["state"]): row for row in yinxin("ca count")}
    assert counted["staff-ca", "system", "valid"]["number"] == 2
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


def test_an_authority_under_a_root_tells_no_address_of_its_own(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    named = "--common-name 'CA' --organization 'Example Province' --profile staff"
    told = yinxin.refused(f"ca init staff-ca --parent root {named} --base-url http://elsewhere")
    assert "--base-url" in told


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


def test_custodians_who_sat_together_leave_no_consent_behind_when_they_are_refused(
    province: Province,
) -> None:
    yinxin = _with_custodians(province("north"))
    make = "keys make seal-maker service --algorithm"
    assert yinxin.refused(f"{make} ES256", *yinxin.both) == "key.purpose_refused"
    assert yinxin.refused(f"{make} SM2-SM3") == "consent.missing"
    (made,) = yinxin(f"{make} SM2-SM3", *yinxin.both)
    destroy = f"keys destroy {made['kid']} --yes"
    assert yinxin.refused(destroy, *yinxin.both) == "key.state_refused"
    yinxin(f"keys retire {made['kid']} --yes", *yinxin.both)
    assert yinxin.refused(destroy) == "consent.missing"


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
    assert north.refused(restore, secret) == "consent.missing"
    north(restore, secret, *north.both)
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


def test_a_lost_root_key_gives_way_to_a_new_one_by_the_two_others(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    assert yinxin.refused("trust root", *yinxin.both) == "trust_root.keys_missing"
    _sign_trust_root(yinxin)
    pinned, told = yinxin.folder / "root.json", yinxin.folder / "list.json"
    yinxin(f"trust export {yinxin.folder / 'before.json'} --pinned {pinned}")
    lost = next(k for k in yinxin("keys list") if k["owner"] == "trust-root-1")
    yinxin(f"keys retire {lost['kid']} --yes", *yinxin.both)
    yinxin("keys make trust-root trust-root-1", *yinxin.both)
    # The new key cannot speak for the old roots.
    assert yinxin.refused("trust root", *yinxin.both) == "trust_root.signatures_missing"
    (root,) = yinxin("trust root --key trust-root-2 --key trust-root-3", *yinxin.both)
    assert root["version"] == 2
    yinxin(f"trust export {told}")
    assert yinxin(f"trust check {told} --pinned {pinned}")


def test_a_file_that_is_no_list_and_a_number_that_is_none_are_told(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    rubbish = yinxin.folder / "rubbish"
    rubbish.write_bytes(b"\xff\xfe\x00")
    refused = yinxin.refused(f"trust check {rubbish} --pinned {rubbish}")
    assert refused == "trust_root.malformed"
    assert "Usage" in yinxin.refused("trust refuse 99999999999999999999", *yinxin.one("wen"))


def test_what_was_done_is_in_the_journal_and_the_journal_holds(province: Province) -> None:
    yinxin = _with_custodians(province("north"))
    yinxin("keys make journal service")
    chained = yinxin("audit chain")["position"]
    verified = yinxin("audit verify")
    assert (verified["rows"], verified["heads"]) == (chained, 1)
    assert "holds" in yinxin.says("audit verify")
    assert yinxin("audit chain")["position"] is None


def test_a_head_kept_elsewhere_finds_a_journal_written_anew(province: Province) -> None:
    honest, forged = province("honest"), province("forged")
    assert "audit chain" in honest.refused(f"audit head {honest.folder / 'none'}")
    for yinxin in (honest, forged):
        yinxin("keys make journal service")
        yinxin("audit chain")
    kept, other = honest.folder / "head.jws", forged.folder / "head.jws"
    honest(f"audit head {kept}")
    forged(f"audit head {other}")
    honest("keys make status-list service")
    honest("audit chain")
    honest(f"audit verify --kept {kept}")
    assert honest.refused(f"audit verify --kept {other}") == "token.unknown_key"
    assert (
        honest.refused(f"audit verify --kept {honest.folder / 'none.jws'}").count("none.jws") == 1
    )


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

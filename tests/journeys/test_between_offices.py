"""From office to office: letters from a county to its city, bundles across a one-way gap (K04, K05, L55)."""

import secrets
from pathlib import Path

import pytest

from keys import envelope_channel
from keys.trust_publishing import ROOT_OWNERS
from tests.console import Console, Province
from tests.rig import Rig

_WAY = "--channel county-to-city"
_GAP = "--channel to-extranet"


def _office(yinxin: Console, algorithm: str = "SM2-SM3") -> Console:
    for purpose in ("envelope-sender", "envelope-receiver"):
        yinxin(f"keys make {purpose} service --algorithm {algorithm}")
    yinxin(f"envelope card {_card(yinxin)}")
    return yinxin


def _card(yinxin: Console) -> Path:
    return yinxin.folder / "card.json"


def _send(sender: Console, receiver: Console, name: str, content: bytes = b"a licence") -> Path:
    file, sealed = sender.folder / f"{name}.txt", sender.folder / f"{name}.envelope"
    file.write_bytes(content)
    sender(f"envelope seal {file} {sealed} {_WAY} --to", _card(receiver))
    return sealed


@pytest.mark.parametrize("algorithm", ["SM2-SM3", "ES256"])
def test_a_letter_arrives_once_whole_and_with_the_right_receiver(
    province: Province, algorithm: str
) -> None:
    county, city, other = (_office(province(n), algorithm) for n in ("county", "city", "other"))
    content = secrets.token_bytes(100_000)
    first = _send(county, city, "first", content)
    assert content not in first.read_bytes()
    got = city.folder / "got.bin"
    open_it = f"envelope open {first} {got} {_WAY} --from {_card(county)}"
    wrong = f"envelope open {first} {other.folder / 'got'} {_WAY} --from {_card(county)}"
    assert other.refused(wrong) == "envelope.not_for_us"

    (letter,) = city(open_it)
    assert (letter["sequence"], got.read_bytes()) == (1, content)
    assert "got.bin" in city.refused(open_it)
    got.unlink()
    assert city.refused(open_it) == "envelope.replayed"
    assert list(city.folder.glob("got.bin*")) == []

    second = _send(county, city, "second")
    bad = bytearray(second.read_bytes())
    bad[-1] ^= 1
    tampered = city.folder / "tampered"
    tampered.write_bytes(bad)
    open_bad = f"envelope open {tampered} {got} {_WAY} --from {_card(county)}"
    assert city.refused(open_bad) in ("envelope.tampered", "envelope.malformed")
    stranger = f"envelope open {second} {got} {_WAY} --from {_card(other)}"
    assert city.refused(stranger) == "envelope.unknown_sender"
    elsewhere = f"envelope open {second} {got} --channel other --from {_card(county)}"
    assert city.refused(elsewhere) == "envelope.wrong_channel"
    assert not got.exists()
    (letter,) = city(f"envelope open {second} {got} {_WAY} --from {_card(county)}")
    assert letter["sequence"] == 2


def test_a_letter_left_aside_by_a_command_that_was_killed_outlives_a_bad_one(
    province: Province,
) -> None:
    county, city = (_office(province(name)) for name in ("county", "city"))
    bad, got = city.folder / "bad", city.folder / "got"
    bad.write_bytes(b"0")
    left = city.folder / "got.part"
    left.write_bytes(b"its number is taken")
    open_bad = f"envelope open {bad} {got} {_WAY} --from {_card(county)}"
    assert city.refused(open_bad) == "envelope.malformed"
    assert left.read_bytes() == b"its number is taken"


@pytest.mark.parametrize("name", ["", "a" * 201, "a\tb"])
def test_a_channel_or_content_type_that_cannot_be_is_told(province: Province, name: str) -> None:
    county = _office(province("county"))
    seal = f"envelope seal {__file__} {county.folder / 'x'} --to {_card(county)}"
    assert "Usage" in county.refused(seal, "--channel", name)
    assert "Usage" in county.refused(f"{seal} {_WAY}", "--content-type", name)
    assert "Usage" in county.refused(f"bundle write {county.folder / 'x'}", "--channel", name)


def test_what_was_sealed_before_the_key_was_changed_still_opens(province: Province) -> None:
    county, city = (_office(province(name)) for name in ("county", "city"))
    early = _send(county, city, "early")
    (kid,) = (key["kid"] for key in city("keys list --purpose envelope-receiver"))
    city(f"keys move {kid} retiring")
    city("keys make envelope-receiver service --algorithm SM2-SM3")
    got = city.folder / "got"
    city(f"envelope open {early} {got} {_WAY} --from", _card(county))
    assert got.read_bytes() == b"a licence"


def test_a_card_that_is_none_is_told(province: Province) -> None:
    county = _office(province("county"))
    for rubbish in (b"", b"{}", b"[" * 9999, b"\xff\xfe"):
        _card(county).write_bytes(rubbish)
        refused = county.refused(f"envelope seal {__file__} x {_WAY} --to", _card(county))
        assert refused == "envelope_card.malformed"


def test_a_licence_is_judged_behind_a_one_way_gap_by_the_bundle_alone(
    rig: Rig, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = _inside(rig), province("outside")
    licence, revoked = rig.issue(), rig.issue()
    rig.revoke(revoked)
    _office(inside, "ES256")
    pinned = inside.folder / "root.json"
    inside(f"trust export {inside.folder / 'list.json'} --pinned {pinned}")
    assert "root.json" in inside.refused(f"trust export {inside.folder / 'x'} --pinned {pinned}")
    assert not (inside.folder / "x").exists()
    bundles = [inside.folder / f"{number}.bundle" for number in (1, 2, 3)]
    for bundle in bundles:
        inside(f"bundle write {bundle} {_GAP}")

    trust = f"{_GAP} --from {_card(inside)}"
    judge = f"bundle judge {bundles[0]} {trust} --pinned {pinned}"
    assert outside(judge, "--code", licence["code"])["answer"] == "valid"
    assert outside(judge, "--code", revoked["code"])["answer"] == "invalid"
    file = outside.folder / "licence.ofd"
    file.write_bytes(rig.file(licence, "ofd"))
    assert outside(judge, "--file", file)["answer"] == "valid"
    assert "valid" in outside.says(judge, "--code", licence["code"])
    assert "--code" in outside.refused(judge)

    read = f"bundle read {bundles[0]} {outside.folder / 'first'} {trust}"
    (told,) = outside(read)
    assert (told["sequence"], told["missing"]) == (1, [])
    assert {"trust-root.json", "trust-list.jws", "status-list-1.jwt"} <= set(told["parts"])
    (outside.folder / "first").rename(outside.folder / "kept")
    assert outside.refused(read) == "bundle.replayed"
    third = f"bundle read {bundles[2]} {outside.folder / 'third'} {trust}"
    assert outside.refused(third) == "bundle.gap"
    (told,) = outside(f"{third} --accept-gap")
    assert told["missing"] == ["2"]

    # Two readers at once: this one asked for the last number before the other took the third.
    newest, asked = envelope_channel.newest, iter([1])
    stale = lambda tx, channel: next(asked, None) or newest(tx, channel)  # noqa: E731
    monkeypatch.setattr(envelope_channel, "newest", stale)
    second = f"bundle read {bundles[1]} {outside.folder / 'second'} {trust}"
    assert outside.refused(second) == "bundle.replayed"
    assert not list(outside.folder.glob("second*"))


def test_a_bundle_by_other_roots_is_not_believed(rig: Rig, province: Province) -> None:
    inside, other = _inside(rig), province("other")
    licence = rig.issue()
    rig.scan(licence["code"])
    _office(inside, "ES256")
    bundle = inside.folder / "1.bundle"
    inside(f"bundle write {bundle} {_GAP}")
    other.custodians()
    for owner in ROOT_OWNERS:
        other(f"keys make trust-root {owner}", *other.both)
    other("keys make trust-list service")
    other("trust root", *other.both)
    pinned = other.folder / "root.json"
    other(f"trust export {other.folder / 'list.json'} --pinned {pinned}")
    judge = f"bundle judge {bundle} {_GAP} --from {_card(inside)} --pinned {pinned}"
    refused = other.refused(judge, "--code", licence["code"])
    assert refused == "trust_root.signatures_missing"
    other("keys make envelope-sender service")
    other(f"envelope card {_card(other)}")
    judge = f"bundle judge {bundle} {_GAP} --from {_card(other)} --pinned {pinned}"
    assert other.refused(judge, "--code", licence["code"]) == "bundle.not_signed"


def test_a_bundle_waits_until_every_status_list_is_published(rig: Rig) -> None:
    inside = _inside(rig)
    licence = rig.issue()
    _office(inside, "ES256")
    write = f"bundle write {inside.folder / '1.bundle'} {_GAP}"
    assert inside.refused(write) == "status_list.behind"
    rig.scan(licence["code"])
    for name in ("Report.txt", "trust-root.json", "manifest.jws"):
        part = inside.folder / name
        part.touch()
        assert inside.refused(write, "--part", part) == "bundle.bad_part"
    assert inside(write)[0]["sequence"] == 1


def _inside(rig: Rig) -> Console:
    """Return a console on the rig's own database."""
    settings = rig.world.settings
    environment = {
        "YINXIN_DATABASE_URL": rig.world.engine.url.render_as_string(hide_password=False),
        "YINXIN_VAR": str(settings.var),
        "YINXIN_PUBLIC_URL": rig.address,
        "YINXIN_KEY_ENCRYPTION_KEY": settings.secret("key_encryption_key"),
    }
    return Console(environment, settings.var)

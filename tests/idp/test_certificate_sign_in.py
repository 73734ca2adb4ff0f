"""Signing in by a certificate: who issued it, does it count, is its key held, whose account is it."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from idp import accounts, sessions
from idp.errors import TooManyTries
from idp.method import Method
from idp.methods import certificate_holder, certificate_sign_in
from idp.methods.certificate_sign_in import Proven, Signed
from idp.methods.sign_in import Entry
from idp.sessions import Opened, beside
from idp.sign_in_errors import (
    CertificateHolderUnknown,
    CertificateProofWrong,
    CertificateStatusUnknown,
    CertificateUnfit,
)
from idp.vocabulary import Realm
from keys.algorithms import ALGORITHMS, ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_names import Subject
from keys.certificate_profiles import LEGAL_ENTITY, OCSP, STAFF
from keys.certificates import Certificate, parse
from keys.signature_value import to_x509
from tests.idp.authority import Authority, with_number_in_extension
from tests.idp.world import BODY, PEOPLE, World
from tests.keys import key_builders

BROWSER = "browser-cookie"
ENTRY = Entry("192.0.2.7", browser=BROWSER)
NUMBER = PEOPLE["张䶮"].number
CERTIFIED = [algorithm for algorithm in (ES256, SM2_SM3, RS256) if algorithm.name in ALGORITHMS]


@pytest.fixture
def authority(world: World) -> Authority:
    """An authority that the provider trusts."""
    made = Authority(world.clock())
    trusting(world, made)
    return made


def trusting(world: World, authority: Authority) -> None:
    world.provider = replace(world.provider, certificates=authority.trust())


def of_person(
    authority: Authority, number: str = f"IDCCN-{NUMBER}", name: str = "张䶮"
) -> Certificate:
    return authority.issue(Subject(name, number=number))


def of_clerk(authority: Authority, username: str = "zhou.yuan", uscc: str = BODY) -> Certificate:
    return authority.issue(Subject("周远", "示例单位", uscc, number=username), STAFF)


def connected(world: World, certificate: Certificate | None) -> Proven:
    der = None if certificate is None else certificate.der
    return certificate_sign_in.prove_connection(world.provider, der, ENTRY.address)


def signed(
    world: World,
    certificate: Certificate,
    nonce: str,
    *,
    key: int = 1,
    algorithm: Algorithm = ES256,
    text: str | None = None,
) -> Signed:
    """What signing software makes of our text."""
    message = (text or certificate_sign_in.text(world.provider, nonce)).encode()
    value = to_x509(algorithm, key_builders.signer(algorithm, key).sign(message))
    encoded = (base64.b64encode(part).decode() for part in (certificate.der, value))
    return Signed(nonce, *encoded)


def answered(world: World, told: Signed, browser: str | None = BROWSER) -> Proven:
    return certificate_sign_in.prove_signature(world.provider, told, browser, ENTRY.address)


def entered(world: World, proven: Proven, realm: Realm = Realm.CITIZEN) -> Opened:
    with world.begin() as tx:
        return certificate_sign_in.enter(tx, world.provider, proven, realm, ENTRY)


def is_found(world: World, opened: Opened, certificate: str | None) -> bool:
    with world.begin() as tx:
        shown = beside(opened.cookie, certificate)
        return sessions.find(tx, world.provider, shown) is not None


def test_a_citizen_signs_in_by_the_certificate_of_the_connection(
    world: World, authority: Authority
) -> None:
    subject = world.register()
    session = entered(world, connected(world, of_person(authority))).session
    assert (session.subject, session.methods) == (subject, (Method.CERTIFICATE,))
    with world.begin() as tx:
        assert session.level == accounts.standing(tx, world.provider, subject).level.number


@pytest.mark.parametrize("algorithm", CERTIFIED, ids=lambda algorithm: algorithm.name)
def test_a_citizen_signs_in_by_signing_our_text(world: World, algorithm: Algorithm) -> None:
    subject = world.register()
    authority = Authority(world.clock(), algorithm)
    trusting(world, authority)
    certificate = of_person(authority)
    nonce = certificate_sign_in.ask(world.provider, BROWSER)
    told = signed(world, certificate, nonce, algorithm=algorithm)
    opened = entered(world, answered(world, told))
    assert opened.session.subject == subject
    assert is_found(world, opened, None), "no connection's certificate, so none to show"


def test_a_member_of_staff_signs_in_to_their_realm(world: World, authority: Authority) -> None:
    subject = world.clerk()
    session = entered(world, connected(world, of_clerk(authority)), Realm.STAFF).session
    assert (session.subject, session.level) == (subject, 1)


def test_a_person_is_named_by_their_account_where_no_number_may_be(
    world: World, authority: Authority
) -> None:
    subject = world.register()
    assert (
        entered(world, connected(world, of_person(authority, subject))).session.subject == subject
    )


@pytest.mark.parametrize(
    "value",
    [
        b"\x80\x12" + NUMBER.encode(),
        b"\xa0\x14\x13\x12" + NUMBER.encode(),
        b"\x13\x12" + NUMBER.encode(),
    ],
)
def test_a_number_in_the_extension_of_the_standard_is_read(world: World, value: bytes) -> None:
    der = with_number_in_extension("张䶮", value, world.clock())
    assert certificate_holder.named(parse(der)).identity_number == NUMBER


@pytest.mark.parametrize("value", [b"\x82\x09E12345678", b"\x80", b"rubbish"])
def test_another_documents_number_is_no_residents(world: World, value: bytes) -> None:
    der = with_number_in_extension("张䶮", value, world.clock())
    assert certificate_holder.named(parse(der)).identity_number == ""


@pytest.mark.parametrize(
    "other",
    [
        lambda authority: of_person(authority, name="李㛃"),
        lambda authority: of_person(authority, f"IDCCN-{PEOPLE['李㛃'].number}", "李㛃"),
        lambda authority: of_person(authority, "nobody"),
        lambda authority: of_person(authority, ""),
        lambda authority: of_clerk(authority),
        lambda authority: authority.issue(Subject("示例公司", "示例公司", BODY), LEGAL_ENTITY),
    ],
)
def test_a_certificate_that_is_not_quite_the_persons_signs_nobody_in(
    world: World, authority: Authority, other: Callable[[Authority], Certificate]
) -> None:
    world.register()
    world.clerk()
    with pytest.raises(CertificateHolderUnknown):
        entered(world, connected(world, other(authority)))


@pytest.mark.parametrize(
    "other",
    [
        lambda authority: of_clerk(authority, uscc="11990100MBXX00017D"),
        lambda authority: of_clerk(authority, username="somebody.else"),
        lambda authority: of_person(authority),
    ],
)
def test_a_certificate_of_another_unit_or_name_opens_no_staff_account(
    world: World, authority: Authority, other: Callable[[Authority], Certificate]
) -> None:
    world.register()
    world.clerk()
    with pytest.raises(CertificateHolderUnknown):
        entered(world, connected(world, other(authority)), Realm.STAFF)


def test_the_code_of_an_entitys_own_certificate_is_told(authority: Authority) -> None:
    own = authority.issue(Subject("示例公司", "示例公司", BODY), LEGAL_ENTITY)
    assert certificate_holder.uscc_of(own) == BODY


def test_the_certificate_of_a_member_of_its_staff_is_not_the_entitys(authority: Authority) -> None:
    for other in (of_clerk(authority), of_person(authority)):
        with pytest.raises(CertificateHolderUnknown):
            certificate_holder.uscc_of(other)


def test_a_revoked_certificate_signs_nobody_in(world: World, authority: Authority) -> None:
    world.register()
    certificate = of_person(authority)
    connected(world, certificate)
    authority.revoke(certificate)
    with pytest.raises(CertificateUnfit):
        connected(world, certificate)


def test_when_nobody_can_tell_of_revocation_nobody_gets_in(
    world: World, authority: Authority
) -> None:
    authority.is_away = True
    with pytest.raises(CertificateStatusUnknown):
        connected(world, of_person(authority))


@pytest.mark.parametrize("days", [-2, 366])
def test_a_certificate_out_of_its_time_signs_nobody_in(
    world: World, authority: Authority, days: int
) -> None:
    certificate = of_person(authority)
    world.clock.tick(days=days)
    with pytest.raises(CertificateUnfit):
        connected(world, certificate)


def test_an_authority_that_is_not_trusted_signs_nobody_in_even_under_the_same_name(
    world: World, authority: Authority
) -> None:
    impostor = Authority(world.clock(), SM2_SM3, name=authority.name)
    with pytest.raises(CertificateUnfit):
        connected(world, of_person(impostor))


def test_the_authoritys_own_certificate_signs_nobody_in(world: World, authority: Authority) -> None:
    with pytest.raises(CertificateUnfit):
        connected(world, authority.certificate)


def test_a_certificate_for_something_else_signs_nobody_in(
    world: World, authority: Authority
) -> None:
    from_time_stamps = replace(OCSP, extended_key_usage_critical=True)
    other = authority.issue(Subject("张䶮", number=f"IDCCN-{NUMBER}"), from_time_stamps)
    with pytest.raises(CertificateUnfit):
        connected(world, other)


def test_without_a_certificate_there_is_nothing_to_sign_in_by(world: World) -> None:
    with pytest.raises(CertificateProofWrong):
        connected(world, None)


def test_where_no_authority_is_trusted_no_certificate_counts(world: World) -> None:
    with pytest.raises(CertificateUnfit):
        connected(world, of_person(Authority(world.clock())))


def test_a_signature_counts_once(world: World, authority: Authority) -> None:
    told = signed(world, of_person(authority), certificate_sign_in.ask(world.provider, BROWSER))

    def tried(_: int) -> bool:
        try:
            answered(world, told)
        except CertificateProofWrong:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tried, range(4))) == 1


def test_another_browsers_text_is_not_answered_here(world: World, authority: Authority) -> None:
    told = signed(world, of_person(authority), certificate_sign_in.ask(world.provider, BROWSER))
    with pytest.raises(CertificateProofWrong):
        answered(world, told, "another")


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": 2},
        {"text": "Sign in at https://elsewhere.example: x"},
    ],
)
def test_another_key_or_another_text_proves_nothing(
    world: World, authority: Authority, wrong: dict[str, object]
) -> None:
    nonce = certificate_sign_in.ask(world.provider, BROWSER)
    told = signed(world, of_person(authority), nonce, **wrong)  # type: ignore[arg-type]
    with pytest.raises(CertificateProofWrong):
        answered(world, told)


@pytest.mark.parametrize(("certificate", "signature"), [("", ""), ("?", "AAAA"), ("AAAA", "?")])
def test_rubbish_proves_nothing(world: World, certificate: str, signature: str) -> None:
    nonce = certificate_sign_in.ask(world.provider, BROWSER)
    with pytest.raises((CertificateProofWrong, CertificateUnfit)):
        answered(world, Signed(nonce, certificate, signature))


def test_who_tries_too_often_waits(world: World, authority: Authority) -> None:
    for _ in range(60):
        with pytest.raises(CertificateProofWrong):
            connected(world, None)
    with pytest.raises(TooManyTries):
        connected(world, of_person(authority))


def test_a_session_by_a_connections_certificate_is_used_with_that_certificate_only(
    world: World, authority: Authority
) -> None:
    world.register()
    proven = connected(world, of_person(authority))
    opened = entered(world, proven)
    assert is_found(world, opened, proven.thumbprint)
    assert not is_found(world, opened, None)
    assert not is_found(world, opened, "another")


def test_what_a_browser_writes_beside_its_cookie_is_cut_off() -> None:
    assert beside("cookie~forged", None) == "cookie"
    assert beside("cookie~forged", "real") == "cookie~real"


def test_signing_in_by_something_else_frees_the_session_of_the_certificate(
    world: World, authority: Authority
) -> None:
    world.register()
    proven = connected(world, of_person(authority))
    opened = entered(world, proven)
    browser = world.browser()
    browser.http.cookies.set(
        sessions.COOKIE, beside(opened.cookie, proven.thumbprint), domain="127.0.0.1", path="/"
    )
    browser.sign_in(None, "13800000001")
    cookie = browser.cookie(sessions.COOKIE)
    with world.begin() as tx:
        found = sessions.find(tx, world.provider, cookie)
    assert found is not None
    assert found.sid == opened.session.sid


def test_a_session_ends_with_the_certificate_at_the_latest(
    world: World, authority: Authority
) -> None:
    world.register()
    certificate = authority.issue(Subject("张䶮", number=f"IDCCN-{NUMBER}"), days=1)
    world.clock.tick(hours=20)
    session = entered(world, connected(world, certificate)).session
    assert session.expires_at == certificate.not_after

"""Ways to sign in: what each proves, how far that reaches, what a client is told of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.levels import HIGHEST_STANDING
from idp.method import METHODS, Factor, Method, amr, factors, reach
from idp.vocabulary import Realm

ANY = st.lists(st.sampled_from(Method))


def test_every_method_has_its_facts() -> None:
    assert set(METHODS) == set(Method)


@pytest.mark.parametrize("method", [Method.PASSWORD, Method.SMS_CODE, Method.TOTP])
def test_one_factor_reaches_the_basic_level_and_nothing_of_the_staffs(method: Method) -> None:
    assert reach(Realm.CITIZEN, (method,)) == 1
    assert reach(Realm.STAFF, (method,)) == 0


@pytest.mark.parametrize("second", [Method.SMS_CODE, Method.TOTP])
def test_a_password_and_something_held_reach_the_intermediate_level(second: Method) -> None:
    assert reach(Realm.CITIZEN, (Method.PASSWORD, second)) == 2
    assert reach(Realm.STAFF, (Method.PASSWORD, second)) == 1


@pytest.mark.parametrize("proven", [(), (Method.PASSWORD,), (Method.PASSKEY,)])
def test_a_scanned_code_reaches_what_the_phone_had_proven(proven: tuple[Method, ...]) -> None:
    for realm in Realm:
        assert reach(realm, (Method.QR, *proven)) == reach(realm, proven)


def test_two_things_held_are_one_factor() -> None:
    assert reach(Realm.CITIZEN, (Method.SMS_CODE, Method.TOTP)) == 1


@pytest.mark.parametrize("method", [Method.PASSKEY, Method.CERTIFICATE])
def test_a_key_behind_a_pin_is_two_factors(method: Method) -> None:
    assert reach(Realm.CITIZEN, (method,)) == 2
    assert reach(Realm.STAFF, (method,)) == 1


def test_no_method_at_all_reaches_nothing() -> None:
    assert reach(Realm.CITIZEN, ()) == 0


@given(ANY, st.sampled_from(Method), st.sampled_from(Realm))
def test_proving_more_never_reaches_less(methods: list[Method], more: Method, realm: Realm) -> None:
    assert reach(realm, [*methods, more]) >= reach(realm, methods)


@given(ANY, st.sampled_from(Realm))
def test_no_sign_in_reaches_the_advanced_level(methods: list[Method], realm: Realm) -> None:
    assert reach(realm, methods) <= HIGHEST_STANDING


@given(st.lists(st.sampled_from([m for m in Method if m is not Method.UPSTREAM_TWO_FACTORS])))
def test_mfa_is_told_exactly_when_two_factors_were_proven(methods: list[Method]) -> None:
    assert ("mfa" in amr(methods)) == (len(factors(methods)) > 1)


def test_a_client_is_told_registered_values_in_the_order_of_use() -> None:
    assert amr(("pwd", "otp", "pwd")) == ("pwd", "otp", "mfa")
    assert amr(("passkey",)) == ("pop", "user", "mfa")


def test_a_live_face_is_what_one_is() -> None:
    assert factors((Method.LIVE_FACE,)) == {Factor.INHERENCE}

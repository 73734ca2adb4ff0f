from dataclasses import fields

import pytest

from keys.certificate_names import Subject
from keys.certificate_profiles import (
    OCSP,
    OCSP_SIGNING,
    PROFILES,
    PURPOSE_PROFILES,
    TIME_STAMP,
    TIME_STAMPING,
    Profile,
)

every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)


@every_profile
def test_a_profile_asks_for_what_a_subject_can_say(profile: Profile) -> None:
    sayable = {field.name for field in fields(Subject)} | {"alternatives"}
    assert profile.required | profile.forbidden <= sayable
    assert not profile.required & profile.forbidden
    assert "common_name" in profile.required


@every_profile
def test_only_authorities_sign_certificates_and_lists(profile: Profile) -> None:
    certifies = {"key_cert_sign", "crl_sign"}
    assert (profile.key_usage == certifies) == profile.is_ca
    assert profile.is_ca or not profile.key_usage & certifies


@every_profile
def test_a_key_that_signs_is_not_one_to_encrypt_to(profile: Profile) -> None:
    """GM/T 0015 and GM/T 0034: signing keys and encryption keys are two pairs."""
    encrypts = {"key_encipherment", "data_encipherment", "key_agreement"}
    assert not profile.key_usage & encrypts


@every_profile
def test_stamping_and_answering_are_for_certificates_of_their_own(profile: Profile) -> None:
    usages = profile.extended_key_usage
    assert (TIME_STAMPING in usages) == (profile is TIME_STAMP)
    assert (OCSP_SIGNING in usages) == (profile is OCSP)
    assert profile.extended_key_usage_critical == (profile is TIME_STAMP)


def test_every_purpose_s_profile_is_in_the_table_and_no_authority_s() -> None:
    assert set(PURPOSE_PROFILES.values()) <= set(PROFILES.values())
    assert not any(profile.is_ca for profile in PURPOSE_PROFILES.values())

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from keys.algorithms import EDDSA, ES256, RS256, SM2_SM3, Algorithm
from keys.der_signature import SignatureMalformed, to_der
from keys.signature_value import from_x509, to_x509
from keys.verify import verify
from tests.keys.key_builders import every_algorithm, material, signer


@every_algorithm
def test_a_signature_survives_the_two_forms(algorithm: Algorithm) -> None:
    signature = signer(algorithm).sign(b"m")
    assert from_x509(algorithm, to_x509(algorithm, signature)) == signature


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
def test_on_a_curve_the_form_is_der_and_has_no_second(algorithm: Algorithm) -> None:
    signature = signer(algorithm).sign(b"m")
    der = to_x509(algorithm, signature)
    assert der == to_der(signature)
    for wrong in (signature, der + b"\0", der[:-1], b""):
        with pytest.raises(SignatureMalformed):
            from_x509(algorithm, wrong)
    with pytest.raises(SignatureMalformed):
        to_x509(algorithm, der)


@pytest.mark.parametrize("algorithm", [RS256, EDDSA], ids=lambda a: a.name)
def test_a_request_by_another_library_carries_a_signature_of_ours(algorithm: Algorithm) -> None:
    key = load_der_private_key(material(algorithm).pkcs8, None)
    assert isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)
    digest = hashes.SHA256() if algorithm is RS256 else None
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, digest)
    signed, value = request.tbs_certrequest_bytes, request.signature
    verify(signer(algorithm).public_key, signed, from_x509(algorithm, value))
    # Neither rolls dice: there is one right signature.
    assert to_x509(algorithm, signer(algorithm).sign(signed)) == value

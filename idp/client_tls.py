"""The client that proves itself by a TLS certificate (RFC 8705 §2).

The proxy in front of us made the handshake: it saw the private key used and, for `tls_client_auth`,
checked that the certificate leads to an authority it trusts. Here it is only asked whose it is.
"""

from idp import certificate_subject, client_keys
from idp.client_keys import KeysUnavailable
from idp.clients import Client
from idp.provider import Provider
from keys import certificates
from keys.certificates import CertificateMalformed
from keys.presented import ClientKey


def is_issued_to(client: Client, der: bytes) -> bool:
    """Say whether a certificate that an authority issued names the client (RFC 8705 §2.1.2)."""
    registered = client.tls_client_auth.items()
    return any(certificate_subject.names(der, member, told) for member, told in registered)


def is_registered(provider: Provider, client: Client, der: bytes) -> bool:
    """Say whether the key of a self-signed certificate is one of the client's (RFC 8705 §2.2.2)."""
    try:
        spki = certificates.parse(der).public_key.spki
        return _has(client_keys.verification_keys(provider, client), spki) or _has(
            client_keys.verification_keys(provider, client, again=True), spki
        )
    except (CertificateMalformed, KeysUnavailable):
        return False


def _has(keys: tuple[ClientKey, ...], spki: bytes) -> bool:
    return any(one.spki == spki for key in keys for one in key.public_keys)

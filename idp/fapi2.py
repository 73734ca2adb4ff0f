"""What the FAPI 2.0 Security Profile (Final) and Message Signing (Final) change for a client, as one table.

`Metadata.is_fapi2` and `Metadata.signs_requests` say who is held to them. Each row names what the
profile demands, where it stands there, and which function here sees to it; what is demanded of
everybody anyway is a row too, so that nobody loosens it unawares.
"""

from dataclasses import dataclass

SECURITY = "FAPI 2.0 Security Profile"
SIGNING = "FAPI 2.0 Message Signing"


@dataclass(frozen=True, slots=True)
class Rule:
    """A demand. `seen_to_by` is `module.name` of this package; `of_everybody`: not of these alone."""

    demand: str
    profile: str
    section: str
    seen_to_by: str
    of_everybody: bool = False


RULES: tuple[Rule, ...] = (
    Rule(
        "clients are confidential, and prove themselves by mutual TLS or private_key_jwt",
        SECURITY,
        "5.3.2.1",
        "client_metadata.Metadata",
    ),
    Rule(
        "access tokens are bound to a key, by mutual TLS or DPoP",
        SECURITY,
        "5.3.2.1",
        "sender.confirmation",
    ),
    Rule(
        "a client assertion's aud is the issuer, as a string",
        SECURITY,
        "5.3.2.1",
        "client_assertion.check",
    ),
    Rule("refresh tokens are not rotated", SECURITY, "5.3.2.1", "refresh_tokens.redeem"),
    Rule(
        "iat and nbf up to 10 seconds ahead are taken, more than 60 are refused",
        SECURITY,
        "5.3.2.1",
        "client_assertion.check",
        of_everybody=True,
    ),
    Rule(
        "nobody is sent on to an address that was not registered",
        SECURITY,
        "5.3.2.1",
        "request_checks.redirect_uri_is_registered",
        of_everybody=True,
    ),
    Rule(
        "only the code flow, with response_type code",
        SECURITY,
        "5.3.2.2",
        "request_checks.response_type_is_code",
        of_everybody=True,
    ),
    Rule(
        "requests are pushed",
        SECURITY,
        "5.3.2.2",
        "request_checks.request_is_pushed_if_it_must_be",
    ),
    Rule(
        "a pushed request lapses within 600 seconds and counts once",
        SECURITY,
        "5.3.2.2",
        "pushed_requests.keep",
        of_everybody=True,
    ),
    Rule(
        "PKCE with S256 is required",
        SECURITY,
        "5.3.2.2",
        "request_checks.challenge_is_s256",
    ),
    Rule(
        "redirect_uri is required in a pushed request",
        SECURITY,
        "5.3.2.2",
        "request_checks.redirect_uri_is_given",
        of_everybody=True,
    ),
    Rule(
        "the answer names the issuer (RFC 9207)",
        SECURITY,
        "5.3.2.2",
        "responses.answer",
        of_everybody=True,
    ),
    Rule(
        "a code lives for 60 seconds at most and counts once",
        SECURITY,
        "5.3.2.2",
        "grant_code.give",
        of_everybody=True,
    ),
    Rule(
        "a code may be bound to a DPoP key (RFC 9449 §10)",
        SECURITY,
        "5.3.2.2",
        "grants.authorise",
        of_everybody=True,
    ),
    Rule("redirects are 303, not 307", SECURITY, "5.3.2.2", "call.sent_to", of_everybody=True),
    Rule(
        "a resource takes a bound token only with its key, in a header",
        SECURITY,
        "5.3.4",
        "sender.check",
        of_everybody=True,
    ),
    Rule(
        "signatures are PS256, ES256 or EdDSA: ours",
        SECURITY,
        "5.4.1",
        "client_rules.check",
    ),
    Rule(
        "signatures are PS256, ES256 or EdDSA: of assertions",
        SECURITY,
        "5.4.1",
        "client_assertion.algorithms_of",
    ),
    Rule(
        "signatures are PS256, ES256 or EdDSA: of request objects",
        SECURITY,
        "5.4.1",
        "request_object.algorithms_of",
    ),
    Rule(
        "signatures are PS256, ES256 or EdDSA: of DPoP proofs",
        SECURITY,
        "5.4.1",
        "dpop.proof",
        of_everybody=True,
    ),
    Rule(
        "requests are signed",
        SIGNING,
        "5.3.1",
        "request_checks.request_is_signed_if_it_must_be",
    ),
    Rule(
        "a request object has aud, and nbf and exp no more than 60 minutes back and apart",
        SIGNING,
        "5.3.1",
        "request_object.check_claims",
    ),
    Rule("answers may be signed (JARM)", SIGNING, "5.4.1", "responses.answer", of_everybody=True),
    Rule(
        "introspection answers may be signed (RFC 9701)",
        SIGNING,
        "5.5.1",
        "introspection.answer",
        of_everybody=True,
    ),
)

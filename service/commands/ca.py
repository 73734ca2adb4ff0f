"""Certificate authorities: found them, issue, renew, suspend, revoke, publish lists and answers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keys import (
    authorities,
    certificate_changes,
    certificate_issuing,
    crl_publishing,
    founding,
    ocsp_publishing,
    register,
    vault,
)
from keys import authority as authority_of_keys
from keys.algorithms import ALGORITHMS, Purpose
from keys.authorities import Authority
from keys.certificate_names import Subject
from keys.certificate_profiles import PROFILES
from keys.certificate_states import CertificateState, Reason
from keys.certificates import parse
from keys.csr import read_csr
from keys.register import CertificateRecord, Search
from service.commands.console import Custodians, agreed, ground, sitting
from service.commands.terminal import By, Json, Yes, answer, operator, sure, tell, vacant, write_new

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_ISSUED = sorted(name for name, profile in PROFILES.items() if not profile.is_ca)

_MOST_DAYS = 100 * 365

AuthorityName = Annotated[str, typer.Argument(metavar="AUTHORITY", help="The authority's name.")]
Serial = Annotated[str, typer.Argument(help="The certificate's serial number, in hexadecimal.")]
CommonName = Annotated[str, typer.Option("--common-name", help="Whom or what it names (CN).")]
Organization = Annotated[str, typer.Option(help="The organization (O).")]
Uscc = Annotated[str, typer.Option(help="The organization's 统一社会信用代码.")]
Out = Annotated[Path | None, typer.Option(help="Write the certificate there, as PEM.")]


@commands.command()
def init(
    name: AuthorityName,
    common_name: CommonName,
    organization: Organization,
    parent: Annotated[str, typer.Option(help="The root it stands under; without it, a root.")] = "",
    algorithm: Annotated[
        str, typer.Option(help="SM2-SM3, ES256 or RS256; its parent's, if not told.")
    ] = "",
    profile: Annotated[
        list[str] | None, typer.Option(help=f"What it issues: {', '.join(_ISSUED)}. Repeat it.")
    ] = None,
    base_url: Annotated[
        str, typer.Option(help="A root's public address, told in certificates: http://…, no slash.")
    ] = "",
    custodians: Custodians = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Found an authority. Two custodians agree to a root's key being made, and to each of its uses."""
    unknown = sorted({*(profile or ())} - set(_ISSUED))
    if unknown or (parent and not profile):
        raise SystemExit(f"yinxin: {tell('ca.no_profile', known=', '.join(_ISSUED))}")
    if parent and base_url:
        raise SystemExit(f"yinxin: {tell('ca.parents_places')}")
    if algorithm and algorithm not in ALGORITHMS:
        raise SystemExit(f"yinxin: {tell('no_algorithm', known=', '.join(ALGORITHMS))}")
    subject, who = Subject(common_name, organization), by or operator()
    with ground() as on:
        root = vault.subject(Purpose.ROOT_CERTIFICATES, parent or name)
        actions = [vault.USE] if parent else [vault.MAKE, vault.USE]
        persons = sitting(on, custodians)
        with on.begin() as tx:
            consents = [agreed(on, tx, action, root, persons) for action in actions]
            if parent:
                key = authorities.find(tx, parent).certificate.public_key.algorithm
                founded = founding.found_issuing(
                    tx,
                    on.vault,
                    name,
                    parent,
                    ALGORITHMS.get(algorithm, key),
                    [PROFILES[wanted] for wanted in profile or ()],
                    subject,
                    by=who,
                    to_use=consents[-1],
                )
            else:
                founded = founding.found_root(
                    tx,
                    on.vault,
                    name,
                    ALGORITHMS[algorithm or "SM2-SM3"],
                    subject,
                    by=who,
                    to_make=consents[0],
                    to_use=consents[-1],
                    base_url=base_url,
                )
        answer([_authority(founded)], as_json)


@commands.command("list")
def list_certificates(
    authority: Annotated[str | None, typer.Option(help="Only of this authority.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only of this unit (USCC).")] = None,
    profile: Annotated[str | None, typer.Option(help="Only of this profile.")] = None,
    state: Annotated[CertificateState | None, typer.Option(help="Only in this state.")] = None,
    expiring: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST_DAYS,
            metavar="DAYS",
            help="Only what ends within so many days, the soonest first.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=register.MOST, help="At most so many.")] = 100,
    after: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Go on after the id that ended a page.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """List certificates from the register: by unit, by state, by when they end."""
    with ground() as on, on.begin() as tx:
        now = on.clock()
        search = Search(authority=authority, unit=unit, profile=profile, state=state, after=after)
        if expiring:
            listed = register.expiring(tx, search, now, now + timedelta(days=expiring), limit)
        else:
            listed = register.listed(tx, search, limit)
        answer([certificate_row(found) for found in listed], as_json)


@commands.command()
def count(as_json: Json = False) -> None:
    """Count the certificates in the register by authority, profile and state."""
    with ground() as on, on.begin() as tx:
        counted = register.counts(tx)
    rows = [
        {"authority": authority, "profile": profile, "state": state.value, "number": number}
        for (authority, profile, state), number in sorted(counted.items())
    ]
    answer(rows, as_json)


@commands.command("authorities")
def list_authorities(as_json: Json = False) -> None:
    """List the authorities, what each issues, and until when."""
    with ground() as on, on.begin() as tx:
        answer([_authority(found) for found in authorities.every(tx)], as_json)


@commands.command()
def issue(
    authority: AuthorityName,
    profile: Annotated[str, typer.Argument(help=f"One of {', '.join(_ISSUED)}.")],
    request: Annotated[Path, typer.Argument(help="The signing request (PKCS#10), PEM or DER.")],
    common_name: CommonName,
    organization: Organization = "",
    uscc: Uscc = "",
    number: Annotated[str, typer.Option(help="A staff number; never an ID number.")] = "",
    dns: Annotated[list[str] | None, typer.Option(help="A host name. Repeat it.")] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=_MOST_DAYS, help="Shorter than the profile's.")
    ] = None,
    out: Out = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Issue a certificate for the key of a signing request, in the name you checked, not the request's."""
    if profile not in _ISSUED:
        raise SystemExit(f"yinxin: {tell('ca.no_profile', known=', '.join(_ISSUED))}")
    if out:
        vacant(out)
    key = read_csr(request.read_bytes()).public_key
    subject = Subject(common_name, organization, uscc, number=number, dns_names=tuple(dns or ()))
    lasts = timedelta(days=days) if days else None
    with ground() as on:
        with on.begin() as tx:
            order = certificate_issuing.prepare(
                tx,
                on.vault,
                authority,
                PROFILES[profile],
                subject,
                key,
                by=by or operator(),
                lasts=lasts,
            )
        der = certificate_issuing.sign(order)
        with on.begin() as tx:
            record = certificate_issuing.enter(tx, order, der, now=on.clock())
    hand_over(record, out, as_json)


@commands.command()
def certify(
    purpose: Annotated[Purpose, typer.Argument(help="What the key in the vault is for.")],
    owner: Annotated[str, typer.Argument(help="Whose key it is.")],
    common_name: CommonName,
    organization: Organization,
    uscc: Uscc = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Issue the certificate of a key in the vault, by the authority for its purpose: seals, time."""
    subject = Subject(common_name, organization, uscc)
    with ground() as on:
        with on.begin() as tx:
            der = authority_of_keys.certify(
                tx, on.vault, purpose, owner, subject, by=by or operator()
            )
            issued = register.of_key(tx, parse(der).public_key.kid)[0]
        answer([certificate_row(issued)], as_json)


@commands.command()
def renew(
    authority: AuthorityName,
    serial: Serial,
    request: Annotated[
        Path | None, typer.Option(help="A signing request, for a new key (PEM or DER).")
    ] = None,
    out: Out = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Issue a certificate anew for whom an old one names; the old one stays until it ends."""
    if out:
        vacant(out)
    key = read_csr(request.read_bytes()).public_key if request else None
    with ground() as on:
        with on.begin() as tx:
            order = certificate_issuing.renewal(
                tx, on.vault, authority, serial, by=by or operator(), public_key=key
            )
        der = certificate_issuing.sign(order)
        with on.begin() as tx:
            record = certificate_issuing.enter(tx, order, der, now=on.clock())
    hand_over(record, out, as_json)


@commands.command()
def show(authority: AuthorityName, serial: Serial, out: Out = None, as_json: Json = False) -> None:
    """Hand a certificate of the register out again."""
    if out:
        vacant(out)
    with ground() as on, on.begin() as tx:
        found = register.find(tx, authority, serial)
    hand_over(found, out, as_json)


@commands.command()
def suspend(authority: AuthorityName, serial: Serial, by: By = "", as_json: Json = False) -> None:
    """Let a certificate not count until it is resumed or revoked."""
    with ground() as on:
        with on.begin() as tx:
            changed = certificate_changes.suspend(
                tx, authority, serial, by=by or operator(), now=on.clock()
            )
        answer([certificate_row(changed)], as_json)


@commands.command()
def resume(authority: AuthorityName, serial: Serial, by: By = "", as_json: Json = False) -> None:
    """Let a suspended certificate count again."""
    with ground() as on:
        with on.begin() as tx:
            changed = certificate_changes.resume(
                tx, authority, serial, by=by or operator(), now=on.clock()
            )
        answer([certificate_row(changed)], as_json)


@commands.command()
def revoke(
    authority: AuthorityName,
    serial: Serial,
    reason: Annotated[Reason, typer.Option(help="Why (RFC 5280 §5.3.1).")] = Reason.UNSPECIFIED,
    invalid_since: Annotated[
        datetime | None, typer.Option(help="When it is known to have gone wrong, in UTC.")
    ] = None,
    yes: Yes = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """End a certificate for ever. Answers (OCSP) and the delta list tell it within a minute or two,
    the complete list within a day, or at once by `yinxin ca crl`.
    """
    sure(tell("ca.revoke", serial=serial, authority=authority), yes)
    with ground() as on:
        with on.begin() as tx:
            changed = certificate_changes.revoke(
                tx,
                authority,
                serial,
                reason,
                by=by or operator(),
                now=on.clock(),
                invalid_since=_utc(invalid_since),
            )
        answer([certificate_row(changed)], as_json)


@commands.command()
def crl(
    authority: AuthorityName,
    delta: Annotated[bool, typer.Option("--delta", help="Only what changed since.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the list there, as DER.")] = None,
    custodians: Custodians = None,
    as_json: Json = False,
) -> None:
    """Make and publish an authority's revocation list now; a root's takes two custodians."""
    if out:
        vacant(out)
    with ground() as on:
        with on.begin() as tx:
            purpose = authorities.find(tx, authority).purpose
        subject, consent = vault.subject(purpose, authority), None
        if purpose is Purpose.ROOT_CERTIFICATES:
            persons = sitting(on, custodians)
            with on.begin() as tx:
                consent = agreed(on, tx, vault.USE, subject, persons)
        crl_publishing.publish(
            on.begin, on.vault, on.clock, authority, complete=not delta, consent=consent
        )
        with on.begin() as tx:
            made = crl_publishing.newest(tx, authority, delta=delta)
    if out:
        write_new(out, made.der)
    told = {"authority": authority, "number": made.number, "next_update": made.next_update}
    answer([told], as_json)


@commands.command()
def ocsp(as_json: Json = False) -> None:
    """Sign the answers on certificates (OCSP) that are due, without waiting for the job."""
    with ground() as on:
        count = ocsp_publishing.refresh(on.begin, on.vault, on.clock)
    answer({"signed": count}, as_json, tell("ca.answers", count=count))


def hand_over(record: CertificateRecord, out: Path | None, as_json: bool) -> None:
    """Tell a certificate, and write it and its chain to `out`, as PEM, when that is given."""
    if out:
        chain = [record.der, *record.chain]
        write_new(out, b"".join(_pem(der) for der in chain))
    answer([certificate_row(record)], as_json)


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _authority(found: Authority) -> dict[str, Any]:
    return {
        "name": found.name,
        "parent": found.parent,
        "algorithm": found.certificate.public_key.algorithm.name,
        "issues": found.profiles,
        "until": found.certificate.not_after,
        "kid": found.kid,
    }


def certificate_row(found: CertificateRecord) -> dict[str, Any]:
    """Return what is told of a certificate in a table."""
    return {
        "id": found.id,
        "authority": found.authority,
        "serial": found.serial,
        "profile": found.profile,
        "subject": found.subject,
        "unit": found.unit,
        "until": found.not_after,
        "state": found.state.value,
        "reason": found.reason.value if found.reason else "",
    }

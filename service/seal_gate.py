"""Who comes to the seals' desk: staff by their appointments, systems by the body they speak for.

Custodians agree by `yinxin keys ask` and `yinxin keys agree`, and what they agreed to is spent when
it is done. In a sandbox its two custodians, whose passphrases everybody knows, agree to anything.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from idp import clients, subjects
from idp.provider import Provider
from idp.staffing import appointments, bodies
from keys import two_person
from keys.access_token import Caller
from keys.sandbox_custodians import sandbox_agreement
from keys.two_person import Consent, ConsentMissing
from keys.vault import Vault
from license_store.sealing import STORE
from seal.life.gate import READ_JOURNAL, Gate, Reach, SealOutOfReach
from seal.life.grants import HolderKind
from seal.life.stamping import Actor
from service.settings import Mode


def gate(provider: Provider, vault: Vault, mode: Mode) -> Gate:
    """Return what the seals' desk is told of who comes."""
    return Gate(
        actor=partial(_actor, provider),
        reach=partial(_reach, provider),
        consent=_agreed(vault) if mode is Mode.PRODUCTION else _agreed_in_a_sandbox(vault),
    )


def _actor(provider: Provider, tx: Session, caller: Caller) -> Actor:
    """A token of a system has the client itself as subject (RFC 9068 §2.2).

    Raises SealOutOfReach for a client that calls itself what is not its name.
    """
    if caller.subject == caller.client_id:
        if caller.client_id == STORE.id:
            # That is our own licence store, and it does not come over HTTP.
            raise SealOutOfReach()
        return Actor(HolderKind.SYSTEM, caller.client_id)
    client = clients.find(tx, caller.client_id)
    known = client and subjects.recognised(provider, client, caller.subject)
    return Actor(HolderKind.PERSON, known or caller.subject)


def _reach(provider: Provider, tx: Session, actor: Actor, scopes: frozenset[str]) -> Reach:
    if actor.kind is HolderKind.SYSTEM:
        # Systems stamp, by their grants; all else is done by people.
        return Reach()
    held = [one for one in appointments.live(tx, provider, actor.id) if one.scopes & scopes]
    reached = (bodies.below(tx, one.body) if one.below else {one.body} for one in held)
    everywhere = any(READ_JOURNAL in one.scopes & scopes for one in held)
    return Reach(frozenset().union(*reached), everywhere)


def _agreed(vault: Vault) -> Callable[[Session, str, str], Consent]:
    def spend(tx: Session, action: str, subject: str) -> Consent:
        return two_person.spend(tx, action, subject, vault.clock())

    return spend


def _agreed_in_a_sandbox(vault: Vault) -> Callable[[Session, str, str], Consent]:
    spend = _agreed(vault)

    def agree(tx: Session, action: str, subject: str) -> Consent:
        try:
            return spend(tx, action, subject)
        except ConsentMissing:
            return sandbox_agreement(tx, vault, action, subject)

    return agree

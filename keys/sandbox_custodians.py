"""The sandbox's two custodians, whose passphrases everybody knows: production refuses both by name.

They agree through the same rows and rules as any two persons.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy.orm import Session

from keys import two_person
from keys.algorithms import Purpose
from keys.custodians import Custodian, custodian_hash, standing
from keys.two_person import Consent
from keys.vault import Vault, subject

SANDBOX_PASSPHRASES: Mapping[str, str] = MappingProxyType(
    {
        "sandbox-custodian-1": "sandbox custodian one, NOT FOR PRODUCTION",
        "sandbox-custodian-2": "sandbox custodian two, NOT FOR PRODUCTION",
    }
)
_BY = "sandbox"


def sandbox_consent(
    tx: Session, vault: Vault, action: str, purpose: Purpose, owner: str
) -> Consent:
    """Let both custodians agree to one action (`MAKE`, … of `keys.vault`) on one key, and spend it.

    Makes the custodians when they are not there yet. Raises what `keys.two_person` raises.
    """
    return sandbox_agreement(tx, vault, action, subject(purpose, owner))


def sandbox_agreement(tx: Session, vault: Vault, action: str, about: str) -> Consent:
    """Do the same for an action on a subject that is told as custodians are asked about it."""
    first, second = (_custodian(tx, vault, name) for name in SANDBOX_PASSPHRASES)
    now = vault.clock()
    two_person.agree(tx, two_person.ask(tx, action, about, first, now), second, now)
    return two_person.spend(tx, action, about, now)


def _custodian(tx: Session, vault: Vault, name: str) -> Custodian:
    if name not in standing(tx):
        hashed = custodian_hash(SANDBOX_PASSPHRASES[name], vault.random)
        two_person.add_custodian(tx, name, hashed, by=_BY, now=vault.clock())
    return Custodian(name)

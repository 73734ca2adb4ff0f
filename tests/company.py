"""A company of the sandbox and its people, over the real pages: registered, raised, acted for."""

import base64
import re
from dataclasses import dataclass
from datetime import timedelta

import httpx2

from keys import certificate_issuing
from keys.algorithms import ES256
from keys.certificate_names import Subject
from keys.certificate_profiles import LEGAL_ENTITY
from keys.signature_value import to_x509
from service.sandbox_counter import COUNTER
from tests.idp.companies import BUILDER
from tests.keys import key_builders
from tests.ladder import buttons, clerk, signed_in_twice
from tests.rig import Citizen, Rig
from tests.service.portals import press, token


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the business register, with whoever the register has for its representative."""

    rig: Rig
    head: Citizen
    http: httpx2.Client

    @property
    def page(self) -> str:
        """The page of the company, which its representative alone sees."""
        return f"/my/entities/{BUILDER.uscc}"

    def register(self) -> httpx2.Response:
        """Fill in the form as the representative."""
        return press(self.http, "/my/entities/register", **COMPANY_FORM)

    def authorise(self, agent: Citizen, days: int = 30) -> str:
        """Make somebody an agent; return the mandate."""
        until = self.rig.clock() + timedelta(days=days)
        form = {
            "number": agent.number,
            "name": agent.name,
            "items": "permit.apply",
            "until": f"{until:%Y-%m-%d}",
        }
        answer = press(self.http, self.page, do="give", **form)
        assert answer.headers.get("Location") == f"{self.page}?done=given", answer.text
        return buttons(self.http.get(self.page), "mandate")[-1]

    def revoke(self, mandate: str) -> None:
        """End an agent's mandate."""
        answer = press(self.http, self.page, do="revoke", mandate=mandate)
        assert answer.headers.get("Location") == f"{self.page}?done=revoked", answer.text


COMPANY_FORM = {
    "uscc": BUILDER.uscc,
    "name": BUILDER.name,
    "registration_number": BUILDER.registration_number,
}


def company(rig: Rig) -> Company:
    """Let the business register have somebody of ours for the representative."""
    head = rig.person()
    rig.tell_outside("entity", uscc=BUILDER.uscc, representative_number=head.number)
    return Company(rig, head, signed_in_twice(rig, head))


def registered_company(rig: Rig) -> Company:
    """A company that its representative has registered."""
    made = company(rig)
    assert made.register().headers.get("Location") == f"{made.page}?done=registered"
    return made


def act(http: httpx2.Client) -> None:
    """Act for the one entity that one may act for, from now on."""
    (mandate,) = (v for v in buttons(http.get("/my/entities"), "acting") if v != "myself")
    answer = press(http, "/my/entities", acting=mandate)
    assert answer.headers.get("Location") == "/my/entities?done=chosen", answer.text


def by_tax(made: Company) -> None:
    """Let the tax administration say that the company files its taxes."""
    answer = press(made.http, made.page, do="tax")
    assert answer.headers.get("Location") == f"{made.page}?done=raised", answer.text


def by_certificate(made: Company) -> None:
    """Let the representative sign our text with the company's own certificate."""
    act_by_certificate(made.rig, made.http)


def by_hall(made: Company) -> None:
    """Let a clerk of the service hall see the company's licence."""
    form = {"do": "entity", "uscc": BUILDER.uscc, "entity_name": BUILDER.name}
    answer = press(clerk(made.rig), "/staff/counter", counter=COUNTER, **form)
    assert answer.status_code == 303, answer.text


def act_by_certificate(rig: Rig, http: httpx2.Client) -> None:
    """Sign our text with the company's own certificate, and so act as the company itself."""
    page = http.get("/my/entities/certificate")
    (words,) = re.findall(r"<textarea[^>]*readonly>([^<]*)</textarea>", page.text)
    signer = key_builders.signer(ES256, 1)
    form = {
        "csrf": token(page.text),
        "nonce": buttons(page, "nonce")[0],
        "certificate": base64.b64encode(_certificate(rig)).decode(),
        "signature": base64.b64encode(to_x509(ES256, signer.sign(words.encode()))).decode(),
    }
    answer = http.post("/my/entities/certificate", data=form)
    assert answer.headers.get("Location") == "/my/entities?done=chosen", answer.text


def _certificate(rig: Rig) -> bytes:
    about = Subject(BUILDER.name, BUILDER.name, BUILDER.uscc)
    key = key_builders.signer(ES256, 1).public_key
    with rig.world.begin() as tx:
        issued = certificate_issuing.issue(
            tx, rig.world.vault, "sandbox-staff-ca-p256", LEGAL_ENTITY, about, key, by="test"
        )
    return issued.der

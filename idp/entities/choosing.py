"""The page between: an authorization request waits until the person says for whom they act."""

from sqlalchemy.orm import Session

from idp import clients, interaction
from idp.entities import context, requested_context
from idp.entities.context import Stance
from idp.errors import InteractionGone
from idp.provider import Provider
from idp.sessions import SignOn


def question(tx: Session, provider: Provider, uid: str, browser: str | None, own: SignOn) -> Stance:
    """For whom the person may act at whoever asks. Raises `InteractionGone`."""
    found = interaction.waiting(provider, uid, browser)
    client = clients.known(tx, provider, found.request.client_id)
    if client is None or own.realm is not found.realm:
        raise InteractionGone
    asked = found.request
    wanted = requested_context.wanted(client, asked.scopes, asked.claims.id_token)
    return context.stance(tx, provider, own, wanted)

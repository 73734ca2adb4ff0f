"""What a production service must not run with: simulators, sandbox switches, plain http, weak secrets."""

from dataclasses import dataclass

from idp.sources.line import Source
from service.settings import SANDBOX_MARK, SECRETS, Mode, Parts, Settings, source_field, variable

_NEEDED = frozenset({Source.POPULATION, Source.SMS})
"""Nobody can register without; any other source may be left unconnected: it never answers."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A setting that production does not accept, and why."""

    setting: str
    reason: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.reason}"


def refusals(settings: Settings) -> tuple[Refusal, ...]:
    """Return what in `settings` production does not accept; nothing in the other modes."""
    if settings.mode is not Mode.PRODUCTION:
        return ()
    found = []
    if settings.simulators:
        found.append(
            Refusal(variable("simulators"), "simulators answer for no real person; set it to false")
        )
    needed = _NEEDED if settings.parts is Parts.ALL else frozenset()
    for source in Source:
        url = settings.source_url(source)
        if not url.startswith("https://") and (url or source in needed):
            setting = variable(source_field(source))
            found.append(Refusal(setting, "must be the https URL of the real source"))
    if not settings.address.startswith("https://"):
        found.append(Refusal(variable("public_url"), "must be an https URL"))
    for address in ("issuer", "mtls_url"):
        if getattr(settings, address).startswith("http:"):
            found.append(Refusal(variable(address), "must be an https URL"))
    if any(upstream.issuer.startswith("http:") for upstream in settings.upstreams()):
        found.append(Refusal(variable("upstreams_file"), "must name https issuers only"))
    if any(node.address.startswith("http:") for node in settings.seal_nodes()):
        found.append(Refusal(variable("seal_nodes_file"), "must name https addresses only"))
    if any(origin.startswith("http:") for origin in settings.embedders):
        found.append(Refusal(variable("embedding_origins"), "must be https origins"))
    if any(address.startswith("http:") for address in settings.old_systems):
        found.append(Refusal(variable("cas_services"), "must be https addresses"))
    if settings.registration == "open":
        found.append(Refusal(variable("registration"), "lets anybody register a client; close it"))
    if settings.may_reach_loopback:
        found.append(
            Refusal(variable("outgoing_loopback"), "lets clients make us call this machine itself")
        )
    if any(network.prefixlen == 0 for network in settings.proxies):
        found.append(
            Refusal(variable("trusted_proxies"), "lets anybody tell who calls, and with which key")
        )
    for secret in SECRETS:
        value = settings.secret(secret)
        if not value:
            found.append(
                Refusal(variable(secret), "must be set, and kept outside this machine's disk")
            )
        elif value.startswith(SANDBOX_MARK):
            found.append(Refusal(variable(secret), "is a sandbox secret; make one of your own"))
    if any(key.startswith(SANDBOX_MARK) for key in settings.older_keys()):
        found.append(Refusal(variable("older_key_encryption_keys"), "hold a sandbox secret"))
    return tuple(found)

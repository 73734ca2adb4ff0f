"""What a production service must not run with: simulators, sandbox switches, plain http, weak secrets."""

from dataclasses import dataclass

from service.settings import SANDBOX_MARK, SECRETS, Mode, Settings, variable


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
    for source in ("population_register_url", "sms_gateway_url"):
        if not getattr(settings, source).startswith("https://"):
            found.append(Refusal(variable(source), "must be the https URL of the real source"))
    if not settings.address.startswith("https://"):
        found.append(Refusal(variable("public_url"), "must be an https URL"))
    for address in ("issuer", "mtls_url"):
        if getattr(settings, address).startswith("http:"):
            found.append(Refusal(variable(address), "must be an https URL"))
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

"""The background jobs of identity, by the names that `Provider.defer` is called with.

Each may run twice, and takes its arguments as strings.
"""

from collections.abc import Callable, Mapping
from functools import partial

from idp import backchannel_logout, backchannel_ping
from idp.provider import Provider


def jobs(provider: Provider) -> Mapping[str, Callable[..., None]]:
    """Return what runs, by name."""
    return {
        backchannel_logout.JOB: partial(backchannel_logout.tell, provider),
        backchannel_ping.JOB: partial(backchannel_ping.ping, provider),
    }

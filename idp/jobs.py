"""The background jobs of identity, by the names that `Provider.defer` is called with.

Each may run twice, and takes its arguments as strings.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from idp import (
    backchannel_logout,
    backchannel_ping,
    certificate_sessions,
    recognition_partner,
    register_watch,
)
from idp.entities import mandates, notices, watch
from idp.methods import change_notice, devices
from idp.nodes import national_recognition, push, reconcile
from idp.provider import Provider
from idp.staffing import lifecycle

EVERY: Mapping[str, str] = MappingProxyType(
    {
        register_watch.JOB: "*/20 * * * *",
        push.EVERYWHERE_JOB: "* * * * *",
        reconcile.EVERYWHERE_JOB: "47 2 * * *",
        lifecycle.JOB: "* * * * *",
        certificate_sessions.JOB: "* * * * *",
        recognition_partner.EVERYBODY_JOB: "17 3 * * *",
    }
)
"""The jobs that nobody asks for, by name, each with its cron line."""


def jobs(provider: Provider) -> Mapping[str, Callable[..., object]]:
    """Return what runs, by name."""
    return {
        backchannel_logout.JOB: partial(backchannel_logout.tell, provider),
        backchannel_ping.JOB: partial(backchannel_ping.ping, provider),
        watch.JOB: partial(watch.watch, provider),
        mandates.NOTICE_JOB: partial(notices.tell, provider),
        register_watch.JOB: partial(register_watch.run, provider),
        push.PERSON_JOB: partial(push.push_person, provider),
        push.WAITING_JOB: partial(push.push_waiting, provider),
        reconcile.JOB: partial(reconcile.reconcile, provider),
        push.EVERYWHERE_JOB: partial(push.push_everywhere, provider),
        reconcile.EVERYWHERE_JOB: partial(reconcile.reconcile_everywhere, provider),
        recognition_partner.PERSON_JOB: partial(national_recognition.recognise, provider),
        recognition_partner.EVERYBODY_JOB: partial(
            national_recognition.recognise_everybody, provider
        ),
        devices.JOB: partial(devices.tell, provider),
        change_notice.JOB: partial(change_notice.tell, provider),
        lifecycle.JOB: partial(lifecycle.settle, provider),
        certificate_sessions.JOB: partial(certificate_sessions.end, provider),
    }

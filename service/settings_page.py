"""`docs/settings.md`, made from the code: every setting, and what production refuses."""

from pydantic import SecretStr

from service.refusals import refusals
from service.settings import Mode, Settings, variable

_REFUSED = Settings.model_construct(
    mode=Mode.PRODUCTION,
    issuer="http:",
    mtls_url="http:",
    registration="open",
    outgoing_loopback=True,
    trusted_proxies="0.0.0.0/0",
)
"""Everything that production refuses, once."""


def page() -> str:
    """Return the page, written from the fields of `Settings`."""
    lines = [
        "# Settings",
        "",
        "All are environment variables. `.venv/bin/yinxin settings-page` writes this page from the code.",
        "",
        "| variable | default | what it is |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        text = default.get_secret_value() if isinstance(default, SecretStr) else default
        shown = "" if text is None else str(text)
        lines.append(
            f"| `{variable(name)}` | {f'`{shown}`' if shown else ''} | {field.description} |"
        )
    lines += ["", "`YINXIN_MODE=production` starts only when none of these is left:", ""]
    lines += [f"- `{refusal.setting}` {refusal.reason}." for refusal in refusals(_REFUSED)]
    return "\n".join(lines) + "\n"

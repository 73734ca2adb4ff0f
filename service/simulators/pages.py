"""The few pages of the sandbox's providers, where a tester does what a person would."""

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1rem/1.6 sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1rem;margin:.25rem 0;width:100%;text-align:left}}</style></head>
<body><main><h1>{title}</h1><p>{lead}</p>{forms}</main></body></html>
"""


def page(title: str, lead: str, choices: list[tuple[str, dict[str, str]]]) -> HTMLResponse:
    """A page with one button per choice; each posts its fields to the page's own address."""
    forms = "".join(_form(label, fields) for label, fields in choices)
    return HTMLResponse(_PAGE.format(title=escape(title), lead=escape(lead), forms=forms))


def _form(label: str, fields: dict[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return f'<form method="post">{hidden}<button>{escape(label)}</button></form>'

"""The auditor's page `/audit` and its parts: static, without a word about any certificate.

Everything it shows it asks for at `/v1/audit`, with a token that stays in its memory.
"""

from __future__ import annotations

from service.pages.site import Part, make_part, slim, static_bytes, templates

AUDIT = "/audit"
_PARTS = ("audit.css", "audit.js", "ask.js", "charts.js", "parts.js", "views.js", "words.js")


def audit_site(*, host: str) -> dict[str, Part]:
    """Every file of the page by its path."""
    page = templates().get_template("audit.html").render(host=host).encode()
    parts = {AUDIT: make_part(page, "html")}
    for name in _PARTS:
        suffix = name.rpartition(".")[2]
        parts[f"{AUDIT}/{name}"] = make_part(slim(static_bytes(f"audit/{name}"), suffix), suffix)
    return parts

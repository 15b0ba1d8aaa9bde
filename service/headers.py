"""The security headers of every answer, and the content policies of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of everything that is not a page."""

CITIZEN_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types sw"
)
"""The policy of `/v`: own scripts only, and the one Trusted Types policy that registers the service worker."""

AUDIT_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The policy of `/audit`: own scripts only, and no way to make markup of a text."""

PLAIN_PAGE = f"{NOTHING}; style-src 'self'; img-src 'self'"
"""The policy of the pages for developers, which have no script."""

FORM_PAGE = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""The policy of pages for officials: a style sheet and a form that asks us, no script."""

CARRIED: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": NOTHING,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
        "strict-transport-security": "max-age=63072000; includeSubDomains",
    }
)
"""Sent with everything, unless the route says another; browsers ignore HSTS over plain HTTP (RFC 6797, 8.1)."""

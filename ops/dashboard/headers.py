"""What browsers are told about each page of the dashboard. Source: W3C, Content Security Policy Level 3."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

REPORTS_PATH = "/ops/csp-reports"


def new_nonce() -> str:
    """Return what marks the scripts and styles of one page as ours."""
    return secrets.token_urlsafe(18)


def page_headers(nonce: str) -> Mapping[str, str]:
    """Nothing but what carries the page's nonce runs or styles, and nothing leaves for another host.

    `same-origin` and not `no-referrer`: with the latter browsers call the origin of their own forms `null`.
    """
    policy = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": f"'nonce-{nonce}'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "report-uri": REPORTS_PATH,
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept, Cookie",
    }

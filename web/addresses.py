"""What addresses of ours hold, and where other machines reach us."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request

from config import lan_address

HIGHEST_ID = 2**31 - 1
"""No row is numbered higher, and a database asked for more would fail."""

LOOPBACK, EVERYWHERE = ("localhost", "127.0.0.1", "::1"), ("0.0.0.0", "::")


def public_address(path: str) -> str:
    """A whole address that works on other people's machines."""
    settings = current_app.config["SETTINGS"]
    asked = urlsplit(request.host_url)
    if settings.public_url:
        return f"{settings.public_url}{path}"
    if asked.hostname in LOOPBACK and settings.host in EVERYWHERE and (lan := lan_address()):
        # Whoever hosts from this machine must not hand out an address that means the guest's own.
        return f"http://{lan}:{asked.port or 80}{path}"
    return f"{request.host_url.rstrip('/')}{path}"

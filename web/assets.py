"""Addresses of static files: kept by browsers for a year, and new with every release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def fingerprint(folder: Path) -> str:
    """A short name for what the folder holds, which changes with any byte of it."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:10]


def name_version(folder: Path) -> Callable[[str, dict[str, Any]], None]:
    """Adds to each address of a static file what the folder holds, so that browsers never mix two releases."""
    version = fingerprint(folder)

    def add(endpoint: str, values: dict[str, Any]) -> None:
        # Fonts are named by the stylesheets too, where no version can be added; they never change.
        if endpoint == "static" and not values.get("filename", "").startswith("fonts/"):
            values["v"] = version

    return add

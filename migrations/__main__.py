"""`python -m migrations` brings the database up to date; run again it does nothing."""

from __future__ import annotations

import sys

from peewee import PeeweeException

from config import BadSetting, settings
from party.storage import migrate, open_storage


def main() -> int:
    """Apply what is missing and name it."""
    try:
        open_storage(settings, wait_ms=10_000)
        for name in migrate():
            print(f"applied {name}")
    except (BadSetting, PeeweeException) as error:
        print(f"The database could not be brought up to date: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

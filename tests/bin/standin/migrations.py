"""A stand-in without tables. MIGRATIONS_FAIL makes it fail as a database out of reach would."""

import os

if os.environ.get("MIGRATIONS_FAIL"):
    raise ConnectionError("no database at the other end")

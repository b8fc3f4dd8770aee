"""The cast and the stage: Ada hosts, Ben is cohost, Cleo is a guest, Dan is a stranger; a fresh database per test."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_home = Path(tempfile.mkdtemp(prefix="partyline-tests-"))
os.environ.update(
    DATA_DIR=str(_home),
    DEMO="0",
    SECRET_KEY="a key for tests only, long enough",
    DATABASE_URL="",
    REDIS_URL="",
    PUBLIC_URL="",
    MAX_ACTIONS_PER_MINUTE="0",
    GRACE_SECONDS="300",
)

import models  # noqa: E402
from party import clock, passwords, people, rooms, storage  # noqa: E402
from party.change import Person  # noqa: E402
from tests import stage  # noqa: E402
from tests.accounts import CHEAP  # noqa: E402

START_SECONDS = 1_800_000_000.0
# The same examples in every run and on a machine of any speed; `--hypothesis-profile=others` draws new ones.
settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
settings.register_profile("others", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")
POSTGRES_URL = os.environ.get("TEST_DATABASE_URL", "")


@pytest.fixture(scope="session")
def migrated() -> Path:
    """A database file with every migration applied, copied for each test."""
    path = _home / "migrated.db"
    handle = models.open_database(POSTGRES_URL, str(path))
    with handle.connection_context():
        from playhouse.migrations import Runner

        Runner(handle, str(storage.MIGRATIONS)).up()
    handle.close_all()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh database with an open connection: SQLite, or the PostgreSQL that tests/test_engines.py names."""
    path = tmp_path / "partyline.db"
    if POSTGRES_URL:
        handle = models.open_database(POSTGRES_URL, "")
        handle.connect()
        names = ", ".join(f'"{table._meta.table_name}"' for table in models.TABLES)
        handle.execute_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    else:
        shutil.copy(migrated, path)
        handle = models.open_database("", str(path))
        handle.connect()
    yield path
    if not handle.is_closed():
        handle.close()
    handle.close_all()


class MovableClock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = START_SECONDS

    def __call__(self) -> float:
        return self.seconds

    @property
    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def move(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def time() -> Iterator[MovableClock]:
    """The rules' clock, standing still."""
    movable = MovableClock()
    before = clock.replace(movable)
    yield movable
    clock.replace(before)


@pytest.fixture
def cast(database: Path, time: MovableClock) -> stage.Cast:
    """Ada's open room with its people in it, and a small library."""
    ada, ben, cleo, dan = (Person(people.enter(name)[0]) for name in ("Ada", "Ben", "Cleo", "Dan"))
    code = rooms.open_room(ada, "Friday", 300)
    members = {"ada": people.join(ada, code)}
    for name, person in (("ben", ben), ("cleo", cleo)):
        members[name] = people.join(person, code)
    models.Member.update(role="cohost").where(models.Member.id == members["ben"]).execute()
    return stage.Cast(code, ada, ben, cleo, dan, members, stage.library(12))


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hashing, at the least it can cost."""
    monkeypatch.setattr(passwords, "hasher", CHEAP)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        reaches_out = self.type == socket.SOCK_STREAM and isinstance(address, tuple)
        if reaches_out and not str(address[0]).startswith(("127.", "localhost", "::1")):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)

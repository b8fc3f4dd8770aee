"""Signs of life."""

from __future__ import annotations

import pytest
from peewee import OperationalError

from models import database
from party import health, rooms
from tests.doors import Browser
from tests.stage import Cast


def test_alive_means_that_the_process_answers(nobody: Browser) -> None:
    answer = nobody.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"ok": True})


def test_ready_needs_a_worker_seen_in_the_last_minute(cast: Cast, time, nobody: Browser) -> None:
    assert nobody.get("/readyz").status_code == 503
    health.worker_lives()
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"ok": True, "database": True, "bus": True, "worker": True},
    )
    time.move(59.999)
    assert nobody.get("/readyz").status_code == 200
    time.move(0.001)
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json["worker"]) == (503, False)
    health.worker_lives()
    assert nobody.get("/readyz").status_code == 200


def test_ready_needs_the_bus(cast: Cast, app, nobody: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    health.worker_lives()
    monkeypatch.setitem(app.config, "HAS_BUS", lambda: False)
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json["bus"]) == (503, False)


def test_ready_needs_the_database(cast: Cast, nobody: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(database.obj, "execute_sql", broken)
        answer = nobody.get("/readyz")
    assert answer.status_code == 503


def test_signs_of_life_are_never_kept(cast: Cast, nobody: Browser) -> None:
    for path in ("/healthz", "/readyz"):
        assert nobody.get(path).headers["Cache-Control"] == "no-store"


def test_a_database_that_is_away_is_said_as_such_and_the_process_still_lives(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    database.obj.close()
    monkeypatch.setattr(database.obj, "connect", away)
    answer = ada.client.get("/rooms/ABCDEFGH")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "cannot be reached" in answer.text
    assert ada.client.get("/healthz").status_code == 200
    ready = ada.client.get("/readyz")
    assert (ready.status_code, ready.json["database"]) == (503, False)


def test_a_failure_of_ours_is_not_called_an_outage(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OperationalError("no such table: room")

    monkeypatch.setattr(rooms, "find", broken)
    answer = ada.get("/rooms/ABCDEFGH")
    assert answer.status_code == 500
    assert "written down" in answer.text

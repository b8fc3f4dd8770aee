"""Letters by a real mail server on this machine: what arrives, what is tried again, what is never sent."""

from __future__ import annotations

import re
import smtplib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from config import settings
from models import Link, User
from party import accounts, letters, links
from tasks import huey, mail, outside
from tests.accounts import HOME, PASSWORD, make_account
from tests.ledger import every_row
from tests.live.rawsocket import PATIENCE_SECONDS
from tests.live.servers import free_port
from tests.stage import Cast

ROOT = Path(__file__).parents[2]
SECONDS = 30
EMAIL, PUBLIC = "ada@example.org", "https://party.example.org"
LETTER = letters.Letter("ada@example.org", "A subject", "Some words, and an é.\n")


class Postman:
    """Keeps what it is handed; answers with `refusals` first."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.refusals: list[str] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.kept.append(envelope)
        return "250 Taken"


@pytest.fixture
def postman(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postman]:
    """A mail server on loopback, and an installation that sends its letters there."""
    handler = Postman()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=PATIENCE_SECONDS)
    controller.start()
    wanted = replace(
        settings,
        smtp_url=f"smtp://127.0.0.1:{controller.port}",
        mail_from="partyline@party.example.org",
        public_url=PUBLIC,
    )
    monkeypatch.setattr(mail, "settings", wanted)
    monkeypatch.setattr(letters, "settings", wanted)
    monkeypatch.setattr(letters, "carrier", lambda *order: mail.send_letter.call_local(*order))
    yield handler
    controller.stop()


def text_of(envelope: Any) -> str:
    from email import message_from_bytes, policy

    return message_from_bytes(envelope.content, policy=policy.default).get_content()


def test_a_forgotten_password_is_mended_by_a_letter(cast: Cast, postman: Postman, monkeypatch) -> None:
    with monkeypatch.context() as quiet:
        quiet.setattr(letters, "carrier", None)
        make_account(EMAIL)
    accounts.request_reset(EMAIL, HOME)
    accounts.request_reset("nobody@example.org", HOME)
    [envelope] = postman.kept
    assert (envelope.mail_from, envelope.rcpt_tos) == ("partyline@party.example.org", [EMAIL])
    address = next(line for line in text_of(envelope).split() if line.startswith(f"{PUBLIC}/reset/"))
    accounts.reset_password(address.rpartition("/")[2], "three herons on a wire")
    assert accounts.sign_in(EMAIL, "three herons on a wire", HOME).token
    assert "password of your Partyline account was changed" in text_of(postman.kept[1])


def test_a_new_address_is_confirmed_by_a_letter_and_a_known_one_gets_another(
    cast: Cast, postman: Postman
) -> None:
    for _ in range(2):
        accounts.sign_up(EMAIL, PASSWORD, HOME, "Ada Byron")
        address = next(line for line in text_of(postman.kept[-1]).split() if line.startswith(PUBLIC))
        if "/confirm/" in address:
            accounts.confirm(address.rpartition("/")[2], HOME, None)
    first, second = (text_of(envelope) for envelope in postman.kept)
    assert "/confirm/" in first and "has an account already" in second and "/confirm/" not in second
    assert User.select().where(User.email == EMAIL).count() == 1
    # Nobody writes to a stranger through us: no letter carries a name.
    assert "Byron" not in first + second


def test_a_letter_says_who_it_is_from_and_that_no_answer_is_awaited(postman: Postman) -> None:
    mail.deliver(LETTER, mail.settings.smtp_url, mail.settings.mail_from)
    head = postman.kept[0].content.decode().partition("\r\n\r\n")[0]
    for line in (
        "From: Partyline <partyline@party.example.org>",
        "To: ada@example.org",
        "Subject: A subject",
    ):
        assert line in head
    assert "Auto-Submitted: auto-generated" in head and "Date:" in head and "@party.example.org>" in head
    assert text_of(postman.kept[0]).splitlines() == LETTER.text.splitlines()


def test_a_mail_server_that_is_away_or_busy_is_tried_again(cast: Cast, postman: Postman, monkeypatch) -> None:
    postman.refusals = ["451 Later"]
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail.send_letter.call_local("password_changed", EMAIL, "")
    monkeypatch.setattr(mail, "settings", replace(mail.settings, smtp_url=f"smtp://127.0.0.1:{free_port()}"))
    with pytest.raises(OSError):
        mail.send_letter.call_local("password_changed", EMAIL, "")
    # What is raised has Huey try again: eight times, in ever longer steps.
    task = mail.send_letter.s("password_changed", EMAIL, "")
    assert (task.retries, task.retry_delay, task.retry_backoff) == (8, 60, 2)
    assert postman.kept == []


class Slow:
    """A mail server that takes each letter when it is let go on, and not before."""

    def __init__(self) -> None:
        self.begun: SimpleQueue[str] = SimpleQueue()
        self.may_take = threading.Event()
        self.taken: list[str] = []

    def deliver(self, letter: letters.Letter, _url: str, _sender: str) -> None:
        self.begun.put(letter.to)
        assert self.may_take.wait(SECONDS)
        self.taken.append(letter.to)


@pytest.fixture
def slow(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """As many letters as may are with a mail server that takes none yet."""
    huey.flush()
    server = Slow()
    monkeypatch.setattr(mail, "deliver", server.deliver)
    first = [
        threading.Thread(target=mail.send_letter.call_local, args=("password_changed", f"first-{number}", ""))
        for number in range(mail.AT_ONCE)
    ]
    for thread in first:
        thread.start()
    for _ in first:
        server.begun.get(timeout=SECONDS)
    yield server
    server.may_take.set()
    for thread in first:
        thread.join(SECONDS)
    assert mail._slots._value == mail.AT_ONCE, "every place was given back"
    huey.flush()


def work_off() -> None:
    """One thread of the worker does what is in the queue, and is free again."""
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


def come_due() -> None:
    """The time comes for what waits in the queue."""
    for task in huey.read_schedule(
        datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=mail.LATEST_SECONDS)
    ):
        huey.enqueue(task)


def test_letters_for_a_slow_mail_server_wait_in_the_queue_and_hold_no_thread(slow: Slow) -> None:
    wanted = [f"later-{number}" for number in range(10)]
    for address in wanted:
        mail.carry("password_changed", address, "")
    for _ in range(mail.TRIES + 2):
        work_off()
        # All is kept by the queue itself, so a worker that dies loses nothing of it.
        assert sorted(task.args[1] for task in huey.scheduled()) == wanted and huey.pending() == []
        come_due()
    assert slow.taken == []
    slow.may_take.set()
    work_off()
    while huey.scheduled():
        come_due()
        work_off()
    assert sorted(slow.taken) == sorted(["first-0", *wanted])


def test_waiting_is_no_try_and_makes_no_pause_longer(slow: Slow) -> None:
    letter = mail.send_letter.s("password_changed", "later", "")
    letter.retries, letter.retry_delay = 3, 480
    huey.execute(letter)
    [waiting] = huey.scheduled()
    assert (waiting.id, waiting.retries, waiting.retry_delay) == (letter.id, 3, 480)


def test_letters_and_all_else_that_goes_outside_leave_half_of_the_worker_free() -> None:
    [threads] = re.findall(r"huey_consumer .*-w (\d+)", (ROOT / "Procfile").read_text())
    assert int(threads) / 2 >= mail.AT_ONCE + outside.AT_ONCE
    assert mail.send_letter.s("reset", EMAIL, "").priority < 0, "tracks that end go first"


def test_an_address_nobody_has_is_not_tried_again(cast: Cast, postman: Postman) -> None:
    postman.refusals = ["550 Nobody here"]
    mail.send_letter.call_local("password_changed", EMAIL, "")
    assert postman.kept == []


def test_a_retry_sends_the_same_link(cast: Cast, postman: Postman, monkeypatch) -> None:
    with monkeypatch.context() as quiet:
        quiet.setattr(letters, "carrier", None)
        make_account(EMAIL)
    postman.refusals, handle = ["451 Later"], links.fresh_handle()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail.send_letter.call_local("reset", EMAIL, handle)
    mail.send_letter.call_local("reset", EMAIL, handle)
    assert links.token_of(handle) in text_of(postman.kept[0])
    assert Link.select().where(Link.purpose == "reset").count() == 1


def test_the_queue_holds_nothing_that_opens_anything(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "carrier", mail.carry)
    huey.flush()
    accounts.sign_up(EMAIL, PASSWORD, HOME, "Ada Byron")
    [task] = [each for each in huey.pending() if each.name == "send_letter"]
    handle = task.args[2]
    assert task.args == ("confirm", EMAIL, handle)
    assert links.token_of(handle) != handle and handle not in str(every_row())
    assert PASSWORD not in str(task.args)
    huey.flush()


def test_a_password_is_sent_where_it_is_asked_for_and_never_to_a_stranger_in_the_clear(monkeypatch) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"s3cret/with@signs")

    handler = Postman()
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), ready_timeout=PATIENCE_SECONDS, authenticator=known,
        auth_require_tls=False,
    )  # fmt: skip
    controller.start()
    try:
        mail.deliver(
            LETTER, f"smtp://ada:s3cret%2Fwith%40signs@127.0.0.1:{controller.port}", "party@example.org"
        )
        assert len(handler.kept) == 1 and seen == [(b"ada", b"s3cret/with@signs")]
        monkeypatch.setattr(mail, "LOOPBACK", ())
        with pytest.raises(smtplib.SMTPNotSupportedError, match="no password"):
            mail.deliver(LETTER, f"smtp://ada:s3cret@127.0.0.1:{controller.port}", "party@example.org")
        assert len(handler.kept) == len(seen) == 1
    finally:
        controller.stop()

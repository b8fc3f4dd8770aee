"""Web and worker live and die together, and every screen is told."""

import os
import signal
from urllib.request import urlopen

import pytest
from simple_websocket import Client, ConnectionClosed

from .conftest import PATIENCE_SECONDS, Terminal, eventually


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_tells_every_screen_and_leaves_nobody(terminal: Terminal, number: signal.Signals) -> None:
    process = terminal.start()
    screen = Client(f"ws://127.0.0.1:{terminal.port}/live")
    screen.send("hello")
    assert screen.receive(timeout=PATIENCE_SECONDS) == "hello"
    process.send_signal(number)
    with pytest.raises(ConnectionClosed) as closed:
        screen.receive(timeout=PATIENCE_SECONDS)
    assert closed.value.reason == 1012
    assert process.wait(PATIENCE_SECONDS) == 0
    assert terminal.processes() == {}
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_a_killed_starter_leaves_nobody(terminal: Terminal) -> None:
    process = terminal.start()
    process.kill()
    process.wait()
    assert eventually(lambda: terminal.processes() == {})


@pytest.mark.parametrize(("name", "words"), [("web", "gunicorn"), ("worker", "huey_consumer")])
def test_when_one_dies_the_other_is_stopped(terminal: Terminal, name: str, words: str) -> None:
    process = terminal.start()
    os.kill(terminal.pid_of(words), signal.SIGKILL)
    assert process.wait(PATIENCE_SECONDS) == 1
    assert process.stderr is not None
    assert f"The {name} process ended by itself (SIGKILL)" in process.stderr.read()
    assert terminal.processes() == {}


def test_a_killed_web_child_is_replaced(terminal: Terminal) -> None:
    process = terminal.start()
    master = terminal.pid_of("gunicorn")
    child = next(pid for pid in terminal.pids_of("gunicorn") if pid != master)
    os.kill(child, signal.SIGKILL)

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{terminal.port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    assert eventually(answers)
    assert process.poll() is None


def test_the_way_in_is_shown_with_a_code_to_scan(terminal: Terminal) -> None:
    terminal.start(PUBLIC_URL="https://party.example.org")
    assert f"http://127.0.0.1:{terminal.port}" in terminal.seen
    assert "https://party.example.org" in terminal.seen
    assert "█" in terminal.seen


def test_the_house_itself_starts_and_stops(real_terminal: Terminal) -> None:
    process = real_terminal.start()
    with urlopen(f"http://127.0.0.1:{real_terminal.port}/healthz", timeout=PATIENCE_SECONDS) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert real_terminal.processes() == {}


def test_a_starter_killed_while_the_library_is_made_leaves_nobody(real_terminal: Terminal) -> None:
    process = real_terminal.start(DEMO="1")
    assert eventually(lambda: any("-m demo" in command for command in real_terminal.processes().values()))
    process.kill()
    process.wait()
    assert eventually(lambda: real_terminal.processes() == {})

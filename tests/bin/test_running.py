"""Web and worker live and die together, and every screen is told."""

import os
import signal
import time
from urllib.request import urlopen

import pytest
from simple_websocket import Client, ConnectionClosed

from .conftest import Terminal, eventually


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_tells_every_screen_and_leaves_nobody(terminal: Terminal, number: signal.Signals) -> None:
    process = terminal.start()
    screen = Client(f"ws://127.0.0.1:{terminal.port}/live")
    screen.send("hello")
    assert screen.receive(timeout=5) == "hello"
    began = time.monotonic()
    process.send_signal(number)
    with pytest.raises(ConnectionClosed) as closed:
        screen.receive(timeout=10)
    assert closed.value.reason == 1012
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 10
    assert terminal.processes() == {}
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_a_killed_starter_leaves_nobody(terminal: Terminal) -> None:
    process = terminal.start()
    process.kill()
    process.wait()
    assert eventually(lambda: terminal.processes() == {}, seconds=10)


@pytest.mark.parametrize(("name", "words"), [("web", "gunicorn"), ("worker", "huey_consumer")])
def test_when_one_dies_the_other_is_stopped(terminal: Terminal, name: str, words: str) -> None:
    process = terminal.start()
    os.kill(terminal.pid_of(words), signal.SIGKILL)
    assert process.wait(timeout=12) == 1
    assert process.stderr is not None
    assert f"The {name} process ended by itself (SIGKILL)" in process.stderr.read()
    assert terminal.processes() == {}


def test_a_killed_web_child_is_replaced(terminal: Terminal) -> None:
    process = terminal.start()
    master = terminal.pid_of("gunicorn")
    child = max(pid for pid, command in terminal.processes().items() if "gunicorn" in command)
    assert child != master
    os.kill(child, signal.SIGKILL)

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{terminal.port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    assert eventually(answers, seconds=10)
    assert process.poll() is None


def test_the_way_in_is_shown_with_a_code_to_scan(terminal: Terminal) -> None:
    terminal.start(PUBLIC_URL="https://party.example.org")
    assert f"http://127.0.0.1:{terminal.port}" in terminal.seen
    assert "https://party.example.org" in terminal.seen
    assert "█" in terminal.seen


def test_the_house_itself_starts_and_stops(real_terminal: Terminal) -> None:
    process = real_terminal.start()
    with urlopen(f"http://127.0.0.1:{real_terminal.port}/healthz", timeout=5) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=12) == 0
    assert real_terminal.processes() == {}


def test_a_starter_killed_while_the_library_is_made_leaves_nobody(real_terminal: Terminal) -> None:
    process = real_terminal.start(DEMO="1")
    assert eventually(lambda: any("-m demo" in command for command in real_terminal.processes().values()), 15)
    process.kill()
    process.wait()
    assert eventually(lambda: real_terminal.processes() == {}, seconds=15)

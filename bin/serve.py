"""Runs the whole of Partyline in one terminal: sets up, starts web and worker, shows the way in, stops both.

Standard library only: this file runs before anything is installed.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import environment
from children import Child
from steps import Refusal, Steps, speak_utf8

if TYPE_CHECKING:
    from config import Settings

ROOT = environment.ROOT
START_SECONDS = 60
# A stop is over in ten seconds. The web tells its screens; what the worker leaves undone it does next time.
PATIENCE_SECONDS = {"web": 9.5, "worker": 3.0}


def main() -> int:
    speak_utf8()
    _on_stop(_leave)
    try:
        return _run(Steps(sys.stdout))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1


def _on_stop(handler: Callable[[int, FrameType | None], None]) -> None:
    # SIGINT comes ignored to what a script put in the background, and is obeyed; nohup wants SIGHUP ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _run(steps: Steps) -> int:
    environment.read_env_file(ROOT / ".env")
    settings = _settings()
    _refuse_a_taken_port(settings)
    python = environment.ready("requirements.txt", steps)
    with steps.step("Preparing the database"):
        _migrate(python)
    _refuse_a_taken_port(settings)
    house = House(python, settings)
    return house.run(steps)


def _settings() -> "Settings":
    sys.path.insert(0, str(ROOT))
    try:
        from config import settings
    except ValueError as error:
        raise Refusal(str(error)) from error
    # gunicorn reads this one by itself, and an empty one makes it fail.
    os.environ["WEB_CONCURRENCY"] = str(settings.web_concurrency)
    # As in the Procfile: else glibc gives each of the worker's threads a heap of its own, and the worker grows.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    return settings


def _refuse_a_taken_port(settings: "Settings") -> None:
    where = f"Port {settings.port}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            # As gunicorn does: a port in TIME_WAIT after our own last run is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except PermissionError as error:
        raise Refusal(f"{where} may only be used by root; choose another, for example PORT=8000.") from error
    except socket.gaierror as error:
        raise Refusal(f"HOST is {settings.host!r}, which is no address of this machine.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refusal(
                f"{where} is taken by another program; stop that, or choose another with PORT."
            ) from error
        raise Refusal(f"HOST is {settings.host!r}, where we cannot listen ({error.strerror}).") from error


def _migrate(python: Path) -> None:
    done = subprocess.run(
        [python, "-m", "migrations"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no words"]
        raise Refusal(f"The database could not be prepared: {words[-1]}")


class House:
    """Web and worker, started together and stopped together."""

    def __init__(self, python: Path, settings: "Settings") -> None:
        self._python = python
        self._settings = settings
        self._told_to_stop = False
        _on_stop(self._note_stop)

    def run(self, steps: Steps) -> int:
        children: list[Child] = []
        try:
            with steps.step("Starting web and worker"):
                children.append(self._web())
                children.append(self._worker())
                self._wait_until_up(children)
            if not self._told_to_stop:
                self._show_the_way_in()
            while not self._told_to_stop:
                self._refuse_the_dead(children)
                time.sleep(0.1)
            with suppress(OSError):
                print("\nStopping: every screen is told.", flush=True)
            return 0
        finally:
            self._stop(children)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _web(self) -> Child:
        command = [str(self._python), "-m", "gunicorn", "-c", "gunicorn.conf.py", "app:app"]
        return Child("web", command, ROOT, orphaned=signal.SIGTERM)

    def _worker(self) -> Child:
        command = [str(self._python), "-m", "huey.bin.huey_consumer", "tasks.huey"]
        # -g: SIGTERM lets a running task end. -m: an idle queue is looked at twice a second. -q: warnings only.
        command += ["-w", "8", "-k", "thread", "-g", "TERM", "-m", "0.5", "-q"]
        return Child("worker", command, ROOT, orphaned=signal.SIGKILL)

    def _wait_until_up(self, children: list[Child]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._told_to_stop and not self._is_up():
            self._refuse_the_dead(children)
            if time.monotonic() > deadline:
                raise Refusal(f"The web process gave no answer within {START_SECONDS} seconds.")
            time.sleep(0.03)

    def _refuse_the_dead(self, children: list[Child]) -> None:
        for child in children:
            if child.is_gone():
                raise Refusal(
                    f"The {child.name} process ended by itself ({child.ending()}), so everything was stopped."
                )

    def _is_up(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)
        connection = HTTPConnection(host, self._settings.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _show_the_way_in(self) -> None:
        # Imported late, as the settings are: a bad one must end in a sentence.
        from config import lan_address

        settings = self._settings
        everywhere = settings.host in ("0.0.0.0", "::")
        here = _url("localhost" if everywhere else settings.host, settings.port)
        there = settings.public_url or _url(lan_address() if everywhere else settings.host, settings.port)
        print(f"\n  On this machine   {here}")
        if settings.host in ("127.0.0.1", "::1", "localhost") and not settings.public_url:
            print("  Other machines cannot reach it, because HOST is this machine alone.")
        elif there:
            print(f"  For your guests   {there}\n", flush=True)
            self._show_qr(there)
        else:
            print("  Other machines cannot reach it, because this one has no network.")
        print("\n  Ctrl-C stops it.", flush=True)

    def _show_qr(self, address: str) -> None:
        command = [str(self._python), "-m", "segno.cli", "--compact", "--border", "2", address]
        code = subprocess.run(
            command, env={**os.environ, "PYTHONUTF8": "1"}, capture_output=True, encoding="utf-8"
        )
        # Said in colours, since on a light terminal the code would come out as its own negative.
        white_on_black, plain = ("\x1b[97;40m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
        for line in code.stdout.splitlines():
            print(f"  {white_on_black}{line}{plain}")

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.stop()
        began = time.monotonic()
        for child in sorted(children, key=lambda child: PATIENCE_SECONDS[child.name]):
            child.wait(began + PATIENCE_SECONDS[child.name])
            child.end()


def _url(host: str, port: int) -> str:
    if not host:
        return ""
    return f"http://{f'[{host}]' if ':' in host else host}" + ("" if port == 80 else f":{port}")


if __name__ == "__main__":
    sys.exit(main())

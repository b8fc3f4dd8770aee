"""One child process that cannot outlive us: told to stop when we vanish, its whole family ended with it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else lambda *arguments: 0


class Child:
    def __init__(self, name: str, command: list[str], folder: Path, orphaned: signal.Signals) -> None:
        # Grandchildren whose parent was killed become ours, so that we can end and bury them.
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        self.name = name
        parent = os.getpid()

        def leave_with_parent() -> None:
            _prctl(PR_SET_PDEATHSIG, orphaned)
            if os.getppid() != parent:
                os._exit(1)

        # A session of its own: Ctrl-C in the terminal reaches us alone, and we tell the child its own way.
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=leave_with_parent,
        )

    def is_gone(self) -> bool:
        return self._process.poll() is not None

    def ending(self) -> str:
        code = self._process.returncode
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def stop(self) -> None:
        """Asks it to finish what it is doing and leave."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        while not self.is_gone() and time.monotonic() < deadline:
            time.sleep(0.05)

    def end(self) -> None:
        """Nobody of this family is left afterwards."""
        self._tell_family(signal.SIGTERM if self.is_gone() else signal.SIGKILL)
        deadline = time.monotonic() + 2
        while self._family_lives():
            if time.monotonic() > deadline:
                self._tell_family(signal.SIGKILL)
            time.sleep(0.02)

    def _tell_family(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _family_lives(self) -> bool:
        self._process.poll()
        with suppress(ChildProcessError):
            while os.waitpid(-self._process.pid, os.WNOHANG)[0]:
                pass
        try:
            os.killpg(self._process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

"""The virtual environment: made once, filled from a hash-locked list, kept until that list changes.

Standard library only. PARTYLINE_VENV names an environment that is ready already; nothing is installed there.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steps import Refusal, Steps, speak_utf8

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


def ready(requirements: str, steps: Steps) -> Path:
    """The Python that has these requirements, after installing what is missing."""
    given = os.environ.get("PARTYLINE_VENV", "")
    if given:
        python = Path(given).absolute() / "bin" / "python"
        if not python.exists():
            raise Refusal(f"PARTYLINE_VENV is {given!r}, where there is no bin/python.")
        return python
    with _alone():
        mark = VENV / f"installed-{requirements}"
        wanted = _fingerprint(requirements)
        if PYTHON.exists() and mark.exists() and mark.read_text() == wanted:
            return PYTHON
        if not (PYTHON.exists() and (VENV / "lib" / VERSION).exists() and list(VENV.glob("installed-*"))):
            _make(steps)
        _install(requirements, steps)
        mark.write_text(wanted)
    return PYTHON


@contextmanager
def _alone() -> Iterator[None]:
    # Two commands started together must not fill the same folder at once.
    try:
        lock = open(ROOT / ".venv.lock", "w")  # noqa: SIM115
    except OSError as error:
        raise Refusal(f"The project folder {str(ROOT)!r} cannot be written ({error.strerror}).") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fingerprint(requirements: str) -> str:
    content = (ROOT / requirements).read_bytes()
    return f"{VERSION} {hashlib.sha256(content).hexdigest()}\n"


def _make(steps: Steps) -> None:
    if not _can_make():
        _install_venv_package(f"{VERSION}-venv", steps)
    with steps.step("Making a virtual environment"):
        _quietly(
            [sys.executable, "-m", "venv", "--clear", str(VENV)], "The virtual environment could not be made"
        )


def _can_make() -> bool:
    # Debian ships Python without ensurepip; only a fresh process sees what apt-get has just added.
    attempt = [sys.executable, "-c", "import ensurepip, venv"]
    return subprocess.run(attempt, capture_output=True).returncode == 0


def _install_venv_package(package: str, steps: Steps) -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with steps.step(f"Installing {package} with apt-get, which Python needs for virtual environments"):
            apt_get(package)
    if not _can_make():
        raise Refusal(
            f"python3-venv is missing, so no virtual environment can be made; "
            f"run `apt-get install {package}` as root, then this again."
        )


def apt_get(*packages: str) -> bool:
    """Installs Debian packages; False when that did not work."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode == 0


def _install(requirements: str, steps: Steps) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check"]
    pip += ["--no-input", "--progress-bar", "off", "-r", str(ROOT / requirements)]
    # PIP_USER in somebody's settings would make pip refuse to work inside an environment.
    environ = {**os.environ, "PIP_USER": "0"}
    with steps.step("Installing the libraries"):
        process = subprocess.Popen(
            pip,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        lines = []
        try:
            for line in process.stdout:
                lines.append(line.strip())
                steps.progress(_how_far(lines))
            failed = process.wait() != 0
        except BaseException:
            process.terminate()
            raise
    if failed:
        raise Refusal(f"The libraries could not be installed: {_last_words(lines)}")


def _how_far(lines: list[str]) -> str:
    if lines[-1].startswith("Successfully installed "):
        return f"{len(lines[-1].split()) - 2} installed"
    if lines[-1].startswith("Installing "):
        return "unpacking"
    return f"{sum(line.startswith('Collecting ') for line in lines)} fetched"


def _quietly(command: list[str], trouble: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Refusal(f"{trouble}: {_last_words((done.stdout + done.stderr).splitlines())}")


def _last_words(lines: list[str]) -> str:
    errors = (
        [line for line in lines if line.startswith("ERROR")]
        or [line for line in lines if line]
        or ["no words"]
    )
    return errors[-1]


def read_env_file(path: Path) -> None:
    """Settings kept in a file, for those the environment does not name."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, mark, value = line.partition("=")
        if not mark or not name.strip().isidentifier():
            raise Refusal(f"Line {number} of .env is {line!r}; it must be NAME=value.")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        os.environ.setdefault(name.strip(), value)


def main() -> int:
    speak_utf8()
    try:
        print(ready((sys.argv[1:] or ["requirements.txt"])[0], Steps(sys.stderr)))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

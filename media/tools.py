"""Running ffmpeg, ffprobe and readers of our own on files of strangers: little time, little memory, no network.

Each gets one file whose kind is known already, so it never guesses: a playlist that calls itself a film is read as a
film. Options by "ffmpeg Documentation" and "FFmpeg Protocols Documentation" (protocol_whitelist, file), limits by
prlimit(2). Everything works on a machine without ffmpeg; whoever asks looks at `has_ffmpeg` first.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 32_000_000
MOST_SAID = 400_000
MEMORY_BYTES = 2_000_000_000
OPEN_FILES = 64
NICE = 10
WAITING_SECONDS = 30.0
"""What runs politely stands still while others compute: so much longer it may be on its way."""


class Failed(Exception):
    """A tool gave up, or was stopped because it took too much."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool printed, and what it said beside."""

    out: bytes
    said: str


def has_ffmpeg() -> bool:
    """True where ffmpeg and ffprobe can be run."""
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))


def ffmpeg(
    path: Path,
    demuxer: str,
    words: Sequence[str],
    *,
    seconds: float,
    start: float = 0.0,
    most: int = MOST_BYTES,
) -> Output:
    """Run ffmpeg on one file of a known kind, from `start` seconds on. Raises Failed."""
    begin = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-y", "-threads", "2"]
    begin += ["-ss", f"{start:.3f}"] if start else []
    return run([*begin, *_input(path, demuxer), *words], seconds=seconds, most=most)


def ffprobe(path: Path, demuxer: str, words: Sequence[str], *, seconds: float) -> bytes:
    """What ffprobe prints about one file of a known kind. Raises Failed."""
    begin = ["ffprobe", "-hide_banner", "-loglevel", "error"]
    return run([*begin, *words, *_input(path, demuxer)], seconds=seconds).out


def run(words: Sequence[str], *, seconds: float, most: int = MOST_BYTES) -> Output:
    """Run a program with bounds on its time, memory and files, and read what it printed. Raises Failed.

    It may compute for twice `seconds`, as two threads do, and be on its way for `WAITING_SECONDS` more than `seconds`.

    Nothing goes in by its input or its environment. What it prints goes by way of files, which are bounded as well.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=said,
                cwd=ROOT,
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as error:
            raise Failed(f"{words[0]} cannot be run") from error
        try:
            _bind(process.pid, seconds, most)
            code = process.wait(seconds + WAITING_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{words[0]} was stopped after {seconds + WAITING_SECONDS:.0f} s") from error
        finally:
            _end(process)
        said.seek(0, os.SEEK_END)
        said.seek(max(0, said.tell() - MOST_SAID))
        told = said.read().decode("utf-8", "replace")
        if code:
            raise Failed(f"{words[0]} ended with {code}: {told[-300:]}")
        out.seek(0)
        return Output(out.read(most), told)


def _bind(pid: int, seconds: float, most: int) -> None:
    # From outside, right after the start: code between fork and exec is not safe in a program with threads.
    if not hasattr(resource, "prlimit"):
        return
    limits = {
        resource.RLIMIT_CPU: int(seconds) * 2 + 1,
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_FSIZE: most,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    with contextlib.suppress(ProcessLookupError):
        for name, value in limits.items():
            resource.prlimit(pid, name, (value, value))
        os.setpriority(os.PRIO_PROCESS, pid, NICE)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing that the tool started outlives it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _input(path: Path, demuxer: str) -> list[str]:
    # With "file:" a name can be no option and no other protocol.
    return ["-protocol_whitelist", "file,pipe", "-f", demuxer, "-i", f"file:{path.resolve()}"]

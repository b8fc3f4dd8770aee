"""Tools in bounds: time, memory, files, what they may reach, and what is left of them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from media import tools
from media.tools import Failed, run
from tests.media import making
from tests.media.conftest import PATIENCE_SECONDS

NEEDS_FFMPEG = pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")


# The bounds are set from outside, right after the start; the last of them is that it runs politely.
BOUND = f"""import os, time
while os.nice(0) < {tools.NICE}: time.sleep(0.01)
"""


def python(program: str, **bounds: float) -> tools.Output:
    return run([sys.executable, "-c", program], **{"seconds": PATIENCE_SECONDS, **bounds})  # type: ignore[arg-type]


def test_what_a_tool_prints_comes_back() -> None:
    done = python("import sys; print('a'); print('b', file=sys.stderr)")
    assert (done.out, done.said) == (b"a\n", "b\n")


def test_a_tool_that_fails_or_is_not_there_is_a_failure() -> None:
    with pytest.raises(Failed, match="ended with 3"):
        python("raise SystemExit(3)")
    with pytest.raises(Failed, match="cannot be run"):
        run(["partyline-no-such-tool"], seconds=1)


def test_a_slow_tool_is_stopped_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "WAITING_SECONDS", 0)
    mark = tmp_path / "pid"
    program = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(mark)!r}, "w").write(str(child.pid))
time.sleep(60)
"""
    # As long as it takes both to be there.
    for seconds in (2, 8, 24):
        began = time.monotonic()
        with pytest.raises(Failed, match="stopped after"):
            python(program, seconds=seconds)
        assert time.monotonic() - began < 55, "it was waited for to the end"
        if mark.exists() and mark.read_text():
            break
    # Killed at once, but buried by whoever adopted it.
    while _is_running(int(mark.read_text())):
        assert time.monotonic() - began < 55


def test_what_stands_still_has_longer_than_what_computes() -> None:
    assert python("print(1)", seconds=0).out == b"1\n"
    with pytest.raises(Failed, match="ended with -"):
        python("while True: pass", seconds=0)


def test_memory_and_files_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wait = BOUND
    monkeypatch.setattr(tools, "MEMORY_BYTES", 300_000_000)
    with pytest.raises(Failed, match="MemoryError"):
        python(wait + "bytearray(400_000_000)")
    with pytest.raises(Failed):
        python(wait + f"open({str(tmp_path / 'x')!r}, 'wb').write(bytes(3_000_000))", most=1_000_000)
    assert (tmp_path / "x").stat().st_size <= 1_000_000
    with pytest.raises(Failed):
        python(wait + "import sys; sys.stdout.write('a' * 3_000_000)", most=1_000_000)
    with pytest.raises(Failed):
        python(wait + "a = [open('/dev/null') for _ in range(100)]")


def test_a_tool_runs_politely_and_knows_nothing_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "shh")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    program = BOUND + "print(os.nice(0), sorted(os.environ), repr(input() if 0 else ''))"
    said = python(program).out.decode()
    assert said.startswith("10 ") and "SECRET_KEY" not in said and "proxy" not in said
    assert "LANG" in said


@NEEDS_FFMPEG
def test_a_name_is_never_an_option_or_another_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-version", "http:x", "concat:a|b"):
        (tmp_path / name).write_bytes(making.mp3())
        said = tools.ffprobe(
            Path(name), "mp3", ["-show_entries", "format=format_name"], seconds=PATIENCE_SECONDS
        )
        assert b"format_name=mp3" in said


@NEEDS_FFMPEG
def test_the_kind_is_forced(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(making.sound("FLAC"))
    with pytest.raises(Failed, match="ended with"):
        tools.ffprobe(path, "mov", ["-show_entries", "format=format_name"], seconds=PATIENCE_SECONDS)


def test_without_ffmpeg_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not tools.has_ffmpeg()
    with pytest.raises(Failed):
        tools.ffmpeg(Path("x"), "mp3", [], seconds=1)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state not in "ZX"

"""Small real media, made by ffmpeg: a flash and a beep each second, as a file, as a portrait, as a list of pieces."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

PIECE_SECONDS = 2
WINDOW_PIECES = 10
"""How much of a live list is there at any moment."""

BEEP = "aevalsrc='0.2*sin(2*PI*880*t)*lt(mod(t,1),0.08)':s=44100:d={seconds}"
PICTURE = (
    "color=c=0x2b2f6b:s={size}:r=25:d={seconds},"
    "drawbox=x=0:y=ih*0.62:w=iw:h=ih*0.38:color=0xd8694f:t=fill,"
    "drawbox=x=iw*0.3:y=ih*0.3:w=iw*0.4:h=ih*0.4:color=white:t=fill:enable='lt(mod(t,1),0.08)'"
)
FAST = ("-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50")


def make_mp4(path: Path, seconds: int = 60, size: str = "640x360") -> Path:
    """A video as somebody would upload it, its index in front."""
    return _make(path, seconds, size, "-c:v", "libx264", *FAST, "-c:a", "aac", "-movflags", "+faststart")


def make_webm(path: Path, seconds: int = 20, size: str = "180x320") -> Path:
    """The same for browsers without patents, by default upright."""
    return _make(
        path,
        seconds,
        size,
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-b:v",
        "100k",
        "-c:a",
        "libopus",
    )


def make_opus(path: Path, seconds: int = 60) -> Path:
    """A low tone, small."""
    tone = f"sine=frequency=220:duration={seconds}"
    _run("-f", "lavfi", "-i", tone, "-c:a", "libopus", "-b:a", "24k", "-f", "ogg", str(path))
    return path


def make_hls(folder: Path, seconds: int = 60, size: str = "640x360") -> Path:
    """A list with its end, and the pieces it names."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = ("-hls_time", str(PIECE_SECONDS), "-hls_playlist_type", "vod")
    names = ("-hls_segment_filename", str(folder / "piece%03d.ts"))
    return _make(
        folder / "list.m3u8",
        seconds,
        size,
        "-c:v",
        "libx264",
        *FAST,
        "-c:a",
        "aac",
        "-f",
        "hls",
        *pieces,
        *names,
    )


def make_noise(path: Path) -> Path:
    """Something that calls itself a video."""
    path.write_bytes(bytes(range(256)) * 64)
    return path


def live_list(began_at: float, now: float, pieces: int, *, has_time: bool = True, skew: float = 0) -> str:
    """The list of pieces of `make_hls` as a broadcaster would send it at `now`, a window that moves; RFC 8216, 6.2.2.

    `has_time` names the time of day (EXT-X-PROGRAM-DATE-TIME); `skew` is how wrong the broadcaster's clock is.
    """
    newest = min(int((now - began_at) // PIECE_SECONDS), pieces - 1)
    oldest = max(0, newest - WINDOW_PIECES + 1)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{PIECE_SECONDS}",
        f"#EXT-X-MEDIA-SEQUENCE:{oldest}",
    ]
    for number in range(oldest, newest + 1):
        if has_time:
            at = datetime.fromtimestamp(began_at + number * PIECE_SECONDS + skew, UTC)
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds')}")
        lines += [f"#EXTINF:{PIECE_SECONDS}.0,", f"piece{number:03}.ts"]
    return "\n".join(lines) + "\n"


def _make(path: Path, seconds: int, size: str, *options: str) -> Path:
    picture, beep = (text.format(seconds=seconds, size=size) for text in (PICTURE, BEEP))
    sources = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", beep)
    _run(*sources, "-shortest", *options, str(path))
    return path


def _run(*options: str) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *options], check=True, timeout=120)

"""How loud a file is: integrated loudness by EBU R128, measured with ffmpeg's loudnorm.

By "FFmpeg Filters Documentation", loudnorm with print_format=json; its ebur128 with framelog=quiet says 0 for anything.
What is measured is applied in the page, as volume; files stay as they are.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from media import tools

SILENT_LUFS = -70.0
"""The gate of EBU R128: nothing under it counts. Also what has no sound to measure, so that it is asked only once."""
FILTER = "loudnorm=print_format=json"


def measure(path: Path, demuxer: str, duration_ms: int) -> float:
    """Integrated loudness in LUFS, SILENT_LUFS for silence and for what cannot be measured."""
    words = ["-map", "0:a:0", "-af", FILTER, "-f", "null", "-"]
    try:
        said = tools.ffmpeg(path, demuxer, words, seconds=patience(duration_ms)).said
        # The report stands last; what came before it are a file's own words.
        found = float(json.loads(said[said.rindex("{") : said.rindex("}") + 1])["input_i"])
    except (tools.Failed, ValueError, KeyError, TypeError):
        return SILENT_LUFS
    return round(max(SILENT_LUFS, found), 2) if math.isfinite(found) else SILENT_LUFS


def patience(duration_ms: int) -> float:
    """How many seconds a tool may take with a file of this length; half an hour at most."""
    return min(1_800.0, 30.0 + duration_ms / 4_000)

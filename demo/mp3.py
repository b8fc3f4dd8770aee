"""MP3 whose every moment a browser finds exactly, which playing in step depends on.

The bit rate is constant and, at 32 kHz, every frame has the same length. The encoder's first frame ("Info") is
mended for two habits of Chromium's reader: it takes the stated size to be that of the sound alone when it turns a
place in the file into a time, and it skips the encoder's delay at the start but not after a seek, a whole frame's
difference. With the size put right and no delay stated, start and seeks agree to the sample.
"""

from __future__ import annotations

import io

import soundfile

from demo.synth import RATE, Sound

FRAME_SAMPLES = 1152
_COMPRESSION = 0.7  # constant 112 kbit/s
_FRAME_BYTES = 144 * 112_000 // RATE


def encoded(stereo: Sound) -> tuple[bytes, int]:
    """The file's frames, and how many milliseconds players will find in it."""
    target = io.BytesIO()
    soundfile.write(
        target,
        stereo.T,
        RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_COMPRESSION,
    )
    data = bytearray(target.getvalue())
    info = data.index(b"Info", 0, _FRAME_BYTES)
    frames = len(data) // _FRAME_BYTES - 1
    data[info + 8 : info + 12] = frames.to_bytes(4, "big")
    data[info + 12 : info + 16] = (frames * _FRAME_BYTES).to_bytes(4, "big")
    delays = info + 120  # after the flags, both counts, the table of contents and the quality
    data[delays:_FRAME_BYTES] = bytes(_FRAME_BYTES - delays)
    return bytes(data), round(frames * FRAME_SAMPLES * 1000 / RATE)

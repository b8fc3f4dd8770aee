"""One module per genre, each with `compose(piece) -> stereo array`."""

from __future__ import annotations

from collections.abc import Callable

from demo.genres import (
    ambient,
    bossa,
    chiptune,
    city_pop,
    dub,
    house,
    lofi,
    orchestral,
    piano,
    techno,
    waltz,
)
from demo.piece import Piece
from demo.synth import Sound

COMPOSERS: dict[str, Callable[[Piece], Sound]] = {
    "Ambient": ambient.compose,
    "Bossa Nova": bossa.compose,
    "Chiptune": chiptune.compose,
    "City Pop": city_pop.compose,
    "Dub": dub.compose,
    "Folk Waltz": waltz.compose,
    "House": house.compose,
    "Lo-Fi Hip Hop": lofi.compose,
    "Orchestral": orchestral.compose,
    "Solo Piano": piano.compose,
    "Techno": techno.compose,
}

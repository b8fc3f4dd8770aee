"""What we know of tracks and of other people's players: plain values in and out, no database."""

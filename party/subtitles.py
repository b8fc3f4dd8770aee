"""Words to a video: put there, taken away, and which of them each person reads. Files are read by media/words.py."""

from __future__ import annotations

from contextlib import suppress

from models import Item, Room, Subtitle, SubtitleChoice, Track, rows
from party import tracks, work
from party.change import CLOCK, Actor, Change, Person, change
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany
from party.names import one_line

MOST = 20
LONGEST_LABEL, LONGEST_LANGUAGE = 60, 12
NO_WORDS = "Those subtitles are not here any more."
HAD_ITS_TURN = "That video already had its turn."
NOT_YOURS = "Only the host, co-hosts and whoever put the video on may change its subtitles."
SHARED = "That one is in everybody’s library, so its subtitles stay as they are."


def refuse_adding(actor: Actor, code: str, item_id: int) -> None:
    """Raise, before a file is read or kept, what `add_subtitles` would raise."""
    with change(actor, code, may="set_subtitles") as c:
        _video(c, item_id)


def add_subtitles(actor: Actor, code: str, item_id: int, label: str, language: str, file: str) -> int:
    """Put words to a video on the line that you put on or lead. `file` is named below the media folder. Their id."""
    with change(actor, code, may="set_subtitles") as c:
        item = _video(c, item_id)
        track = item.track
        made = Subtitle.create(
            track=track,
            label=_label(label, language),
            language=_language(language),
            file=file,
            added_by=c.seat.user_id,
            added_at=c.now,
        )
        _say(c, item)
    _tell_others(track.id, code)
    return int(made.id)


def remove_subtitles(actor: Actor, code: str, item_id: int, subtitle_id: int) -> None:
    """Take words away from a video on the line: your own, or those of a video you put on or lead. Their file goes."""
    with change(actor, code, may="set_subtitles") as c:
        item = c.item(item_id)
        known = Subtitle.get_or_none(Subtitle.id == subtitle_id, Subtitle.track == item.track_id)
        if known is None:
            raise NotFound(NO_WORDS)
        if item.state not in ("waiting", "playing"):
            raise Conflict(HAD_ITS_TURN)
        if known.added_by_id != c.seat.user_id and not _leads(c, item):
            raise NotAllowed(NOT_YOURS)
        _refuse_listed(item.track)
        Subtitle.delete().where(Subtitle.id == known.id).execute()
        _say(c, item)
        work.hand_over("delete_files", [known.file])
    _tell_others(item.track_id, code)


def choose_subtitles(actor: Actor, code: str, item_id: int, subtitle_id: int | None) -> None:
    """Remember what one person reads with a video, here and wherever it plays; None reads nothing."""
    with change(actor, code, may="see") as c:
        track_id = c.item(item_id).track_id
        if subtitle_id is not None and not _is_of(subtitle_id, track_id):
            raise NotFound(NO_WORDS)
        SubtitleChoice.insert(user=c.seat.user_id, track=track_id, subtitle=subtitle_id).on_conflict(
            conflict_target=[SubtitleChoice.user, SubtitleChoice.track],
            update={SubtitleChoice.subtitle: subtitle_id},
        ).execute()


def choice_of(actor: Person, code: str, item_id: int) -> tuple[bool, int | None]:
    """Whether this person ever chose words for an item's video, and which."""
    query = (
        SubtitleChoice.select(SubtitleChoice.subtitle)
        .join(Item, on=SubtitleChoice.track == Item.track)
        .join(Room, on=Item.room == Room.id)
        .where(Room.code == code, Item.id == item_id, SubtitleChoice.user == actor.user_id)
    )
    found = rows(query)
    return (True, found[0][0]) if found else (False, None)


def file_of(subtitle_id: int, marked: str) -> str:
    """The file of words below the media folder, to whoever has the address with its mark. Raises NotFound."""
    known = Subtitle.get_or_none(Subtitle.id == subtitle_id)
    if known is None or not tracks.is_marked(marked, known.id, known.file, known.added_at):
        raise NotFound(NO_WORDS)
    return str(known.file)


def _video(c: Change, item_id: int) -> Item:
    """An item with a video that waits or plays and takes more words, for whoever may set them."""
    item = c.item(item_id)
    if item.state not in ("waiting", "playing"):
        raise Conflict(HAD_ITS_TURN)
    if not _leads(c, item):
        raise NotAllowed(NOT_YOURS)
    track: Track = item.track
    if track.player not in ("file", "hls") or not (track.is_video or track.player == "hls"):
        raise Invalid("Subtitles go with videos that play here. That one brings its own, or is a sound.")
    _refuse_listed(track)
    if Subtitle.select().where(Subtitle.track == track).count() >= MOST:
        raise TooMany(f"That video has {MOST} subtitles already. Take one away first.")
    return item


def _leads(c: Change, item: Item) -> bool:
    return item.added_by_id == c.seat.id or c.role in ("host", "cohost")


def _refuse_listed(track: Track) -> None:
    # What is there for every room is not written on from one of them.
    if track.is_listed:
        raise NotAllowed(SHARED)


def _is_of(subtitle_id: int, track_id: int) -> bool:
    return bool(Subtitle.select().where(Subtitle.id == subtitle_id, Subtitle.track == track_id).exists())


def _say(c: Change, item: Item) -> None:
    """Screens show the words of what plays, and of nothing else."""
    if item.state == "playing":
        c.log("subtitles_changed", track_id=item.track_id)


def _tell_others(track_id: int, code: str) -> None:
    """Say so in the other rooms where the same video plays, each in a change of its own."""
    playing = (
        Item.select(Room.code)
        .join(Room)
        .where(Item.track == track_id, Item.state == "playing", Room.code != code, Room.state != "EXPIRED")
    )
    for (other,) in rows(playing.order_by(Room.id)):
        with suppress(Refusal), change(CLOCK, other, may="describe_item") as c:
            c.log("subtitles_changed", track_id=track_id)


def _label(label: str, language: str) -> str:
    return one_line(label)[:LONGEST_LABEL] or _language(language) or "Subtitles"


def _language(text: str) -> str:
    """A language tag of the short kind (BCP 47: en, pt-BR), or nothing."""
    known = text.strip()
    parts = known.split("-")
    is_tag = known.isascii() and 2 <= len(parts[0]) <= 3 and parts[0].isalpha()
    return (
        known if is_tag and len(known) <= LONGEST_LANGUAGE and all(part.isalnum() for part in parts) else ""
    )

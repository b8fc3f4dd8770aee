"""What is read for every change of a room: in columns rather than rows of models, its SQL made once."""

from __future__ import annotations

from peewee import JOIN, Case, fn

from models import (
    Item,
    Knock,
    Member,
    Play,
    Playback,
    Prepared,
    Presence,
    Room,
    SkipVote,
    Subtitle,
    SubtitleChoice,
    Suggestion,
    Track,
    User,
    Vote,
)

TRACK_COLUMNS = (
    Track.id,
    Track.title,
    Track.artist,
    Track.album,
    Track.genre,
    Track.duration_ms,
    Track.hue,
    Track.media_file,
    Track.cover_file,
    Track.added_at,
    Track.provider,
    Track.reference,
    Track.player,
    Track.is_video,
    Track.state,
    Track.failure,
    Track.mime,
    Track.opus_file,
    Track.opus_gain_db,
    Track.loudness_lufs,
)

LENGTH = Case(None, [(Track.duration_ms > 0, Track.duration_ms)], Item.length_ms)
"""How long an item is, in ms: what is known of its track, else what this room's players said; 0 is not known."""

ITEM_TRACK_COLUMNS = tuple(LENGTH if column is Track.duration_ms else column for column in TRACK_COLUMNS)
"""The same columns for a track on a line, with the length that is known there."""

present_members = Prepared(
    lambda room, since: (
        Presence.select(Presence.member, Presence.is_idle, Presence.since_at)
        .join(Member)
        .where(Member.room == room, Presence.seen_at > since)
    )
)

everybody = Prepared(
    lambda room: (
        Member.select(
            Member.id,
            User.display_name,
            Member.color,
            Member.is_ringed,
            Member.role,
            Member.left_at,
            User.email,
            Member.muted_until,
            Member.controls_until,
            Member.asked_control_at,
            Member.offered_host_at,
        )
        .join(User)
        .where(Member.room == room)
        .order_by(Member.id)
    )
)

items = Prepared(
    lambda room, state: (
        Item.select(
            Item.id,
            Item.added_seq,
            Item.added_at_advance,
            fn.COUNT(Case(None, [(Vote.value == 1, 1)])),
            fn.COUNT(Case(None, [(Vote.value == -1, 1)])),
            Item.position,
            Item.pin_position,
            Item.guard_limit,
            Item.overtakes,
            Track.state == "ready",
            Item.is_filler,
            Item.added_by,
            *ITEM_TRACK_COLUMNS,
        )
        .join(Vote, JOIN.LEFT_OUTER)
        .switch(Item)
        .join(Track)
        .where(Item.room == room, Item.state == state)
        .group_by(Item.id, Track.id)
    )
)

beside_playing = Prepared(
    lambda item: (
        Item.select(
            Track.peaks, Subtitle.id, Subtitle.label, Subtitle.language, Subtitle.file, Subtitle.added_at
        )
        .join(Track)
        .join(Subtitle, JOIN.LEFT_OUTER)
        .where(Item.id == item)
        .order_by(Subtitle.id)
    )
)
"""The playing track's waveform, once for each of its subtitles, or once alone."""

voters = Prepared(
    lambda item, most: (
        Vote.select(Vote.member)
        .where(Vote.item == item, Vote.value == 1)
        .order_by(Vote.cast_at, Vote.id)
        .limit(most)
    )
)

plays = Prepared(
    lambda room, most: (
        Play.select(
            Play.id,
            Play.item,
            Play.started_at,
            Play.end_reason,
            Item.added_by,
            Item.is_filler,
            Vote.select(fn.COALESCE(fn.SUM(Vote.value), 0)).where(Vote.item == Item.id),
            *ITEM_TRACK_COLUMNS,
        )
        .join(Item)
        .join(Track)
        .where(Play.room == room, Play.ended_at.is_null(False))
        .order_by(Play.id.desc())
        .limit(most)
    )
)

seat = Prepared(
    lambda code, user: (
        Member.select(
            Member.id,
            Member.role,
            User.email,
            Member.controls_until,
            Member.muted_until,
            Member.asked_control_at,
            Room.visibility,
            Room.settings,
            Room.owner,
            SubtitleChoice.select(SubtitleChoice.subtitle)
            .join(Item, on=(Item.track == SubtitleChoice.track))
            .where(SubtitleChoice.user == Member.user, Item.room == Member.room, Item.state == "playing"),
        )
        .join(Room)
        .switch(Member)
        .join(User)
        .where(Room.code == code, Member.user == user, Member.left_at.is_null())
    )
)

knocks = Prepared(
    lambda room, now: (
        Knock.select(Knock.id, User.display_name, Knock.asked_at)
        .join(User)
        .where(Knock.room == room, Knock.state == "waiting", Knock.deadline_at > now)
        .order_by(Knock.id)
    )
)

suggestions = Prepared(
    lambda room: (
        Suggestion.select(Suggestion.id, Suggestion.member, *TRACK_COLUMNS)
        .join(Track)
        .where(Suggestion.room == room, Suggestion.state == "waiting")
        .order_by(Suggestion.id)
    )
)

suggestions_of = Prepared(
    lambda member: (
        Suggestion.select(Suggestion.track, Suggestion.id)
        .where(Suggestion.member == member, Suggestion.state == "waiting")
        .order_by(Suggestion.id)
    )
)

answers_to = Prepared(
    lambda member, most: (
        Suggestion.select(Suggestion.id, Suggestion.state, Track.title, User.display_name, Suggestion.reason)
        .join(Track)
        .join(Member, on=(Suggestion.decided_by == Member.id))
        .join(User)
        .where(Suggestion.member == member, Suggestion.state.in_(("approved", "declined")))
        .order_by(Suggestion.decided_at.desc(), Suggestion.id.desc())
        .limit(most)
    )
)

skip_voters = Prepared(lambda play: SkipVote.select(SkipVote.member).where(SkipVote.play == play))

votes_of = Prepared(
    lambda member: (
        Vote.select(Vote.item, Vote.value)
        .join(Item)
        .where(Vote.member == member, Item.state.in_(("waiting", "playing")))
    )
)

items_of = Prepared(
    lambda member: (
        Item.select(Item.id)
        .where(Item.added_by == member, Item.state == "waiting", ~Item.is_filler)
        .order_by(Item.id)
    )
)

deadlines = Prepared(
    lambda code: (
        Room.select(
            Room.state,
            Room.host_gone_at,
            Room.host_grace_until,
            Playback.state,
            Playback.play,
            Playback.ends_at,
            Playback.locked_item,
            LENGTH,
        )
        .join(Playback)
        .join(Item, JOIN.LEFT_OUTER, on=(Playback.item == Item.id))
        .join(Track, JOIN.LEFT_OUTER)
        .where(Room.code == code)
    )
)

skips_of = Prepared(
    lambda member: (
        SkipVote.select(SkipVote.play).join(Play).where(SkipVote.member == member, Play.ended_at.is_null())
    )
)

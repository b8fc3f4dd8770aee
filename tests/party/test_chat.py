"""Talking: what may be said how often, by whom, what is kept, and who is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from models import Event, Member, Message, Reaction, Room
from party import chat, chat_commands, chat_log, people, playback, rooms
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Over, Refusal, TooMany
from party.settings import changed, load, stored
from tests.ledger import every_row
from tests.stage import Cast


@contextmanager
def unchanged() -> Iterator[None]:
    """Nothing in the block leaves a trace."""
    before = every_row()
    yield
    assert every_row() == before


def say(cast: Cast, text: str = "hello", who: str = "cleo", **more) -> int:
    return chat.say(getattr(cast, who), cast.code, text, **more)


def set_room(cast: Cast, **values) -> None:
    """Settings as the host's form would leave them."""
    room = cast.room()
    Room.update(settings=stored(changed(load(room.settings), values))).where(Room.id == room.id).execute()


def mute(cast: Cast, name: str, until: int) -> None:
    Member.update(muted_until=until).where(Member.id == cast.members[name]).execute()


def talk(cast: Cast) -> chat_log.Talk:
    room = cast.room()
    return chat_log.latest(room.id, room.seq)


def refused(error: type[Refusal], act, match: str = ".") -> str:
    """The sentence of a refusal that changed nothing."""
    with unchanged(), pytest.raises(error, match=match) as caught:
        act()
    return caught.value.message


# Saying


def test_what_is_said_is_kept_and_logged_without_its_words(cast: Cast) -> None:
    message_id = say(cast, "  hello   there ")
    message = Message.get_by_id(message_id)
    assert (message.text, message.member_id) == ("hello there", cast.members["cleo"])
    assert cast.kinds()[-1] == "message_sent"
    [line] = [line for line in talk(cast).lines if not line.is_note]
    assert (line.id, line.by.name, line.parts[0].text) == (message_id, "Cleo", "hello there")


def test_a_stranger_says_nothing(cast: Cast) -> None:
    refused(NotAllowed, lambda: say(cast, who="dan"))


def test_nothing_is_said_after_the_end(cast: Cast, time) -> None:
    Room.update(state="EXPIRED").where(Room.code == cast.code).execute()
    refused(Over, lambda: say(cast))


def test_five_in_three_seconds_are_followed_by_a_pause_that_says_how_long(cast: Cast, time) -> None:
    for number in range(5):
        say(cast, f"word {number}")
        time.move(0.5)
    assert refused(TooMany, lambda: say(cast, "word 6")) == "Easy. You can write again in 10 s."
    say(cast, "others may", "ben")
    time.move(7)
    assert "3 s" in refused(TooMany, lambda: say(cast, "word 6"))
    time.move(2.5)
    say(cast, "word 6")


def test_five_in_more_than_three_seconds_are_fine(cast: Cast, time) -> None:
    for number in range(20):
        say(cast, f"word {number}")
        time.move(0.8)


def test_the_same_words_at_once_are_refused(cast: Cast, time) -> None:
    say(cast, "hello")
    refused(TooMany, lambda: say(cast, "hello "))
    say(cast, "hello", "ben")
    time.move(3)
    say(cast, "hello")


def test_slow_mode_holds_guests_back_and_not_the_host(cast: Cast, time) -> None:
    set_room(cast, slow_seconds=30)
    for who in ("ada", "ben", "cleo"):
        say(cast, "one", who)
        time.move(4)
    assert refused(TooMany, lambda: say(cast, "two")) == "Slow mode is on. You can write again in 26 s."
    say(cast, "two", "ada")
    say(cast, "two", "ben")
    time.move(26)
    say(cast, "two")


def test_a_clock_set_back_silences_nobody(cast: Cast, time) -> None:
    set_room(cast, slow_seconds=30)
    say(cast, "before")
    time.move(-3_600)
    say(cast, "after")


def test_a_muted_person_is_told_until_when(cast: Cast, time) -> None:
    mute(cast, "cleo", time.now_ms + 240_000)
    sentence = refused(NotAllowed, lambda: say(cast))
    assert sentence == "You are muted for another 4 min. Everything else works as before."
    time.move(240)
    say(cast)


@pytest.mark.parametrize(("setting", "may"), [("all", "ada ben cleo"), ("cohosts", "ada ben"), ("off", "")])
def test_the_room_says_who_talks(cast: Cast, setting: str, may: str) -> None:
    set_room(cast, chat=setting)
    for who in ("ada", "ben", "cleo"):
        if who in may:
            say(cast, "hello", who)
        else:
            refused(NotAllowed, lambda who=who: say(cast, "hello", who), "closed")


def test_the_player_goes_on_while_the_chat_is_off(cast: Cast) -> None:
    cast.add(2)
    set_room(cast, chat="off")
    playback.pause(cast.ada, cast.code)
    playback.play(cast.ada, cast.code)


def test_an_answer_names_a_message_of_the_same_room_that_is_there(cast: Cast) -> None:
    first = say(cast)
    second = say(cast, "yes", "ben", reply_to=first)
    assert [line.reply.excerpt for line in talk(cast).lines if not line.is_note and line.reply] == ["hello"]
    elsewhere = rooms.open_room(cast.dan, "Elsewhere", 300)
    other = chat.say(cast.dan, elsewhere, "hello")
    refused(NotFound, lambda: say(cast, "what", reply_to=other))
    refused(NotFound, lambda: say(cast, "what", reply_to=999))
    chat.delete_message(cast.cleo, cast.code, first)
    refused(Conflict, lambda: say(cast, "what", reply_to=first))
    [line] = [line for line in talk(cast).lines if getattr(line, "id", 0) == second]
    assert line.reply.excerpt == ""


def test_those_with_a_seat_are_meant_by_their_names(cast: Cast) -> None:
    people.join(cast.dan, cast.code)
    people.leave(cast.dan, cast.code)
    message = Message.get_by_id(say(cast, "@ada @BEN @dan hello"))
    assert message.mentions == [cast.members["ada"], cast.members["ben"]]


def test_only_the_newest_are_kept(cast: Cast, time) -> None:
    set_room(cast, chat_kept=50)
    first = say(cast, "the first")
    answer = say(cast, "to it", "ben", reply_to=first)
    for number in range(60):
        time.move(1)
        say(cast, f"word {number}")
        if number < 48:
            assert Message.select().count() == number + 3
    assert Message.select().count() == 50
    assert Message.get_or_none(Message.id == answer) is None


# Taking back, reacting


def test_a_deleted_message_keeps_its_place_and_loses_its_words(cast: Cast) -> None:
    message_id = say(cast, "@ben a secret")
    chat.react(cast.ben, cast.code, message_id, "👍")
    chat.delete_message(cast.cleo, cast.code, message_id)
    message = Message.get_by_id(message_id)
    assert (message.text, message.mentions, message.deleted_by_id) == ("", [], cast.members["cleo"])
    assert Reaction.select().count() == 0
    assert cast.kinds()[-1] == "message_deleted"
    with unchanged():
        chat.delete_message(cast.ben, cast.code, message_id)


def test_the_host_deletes_anybodys_and_a_guest_only_their_own(cast: Cast) -> None:
    by_ben, by_cleo = say(cast, "one", "ben"), say(cast, "two")
    refused(NotAllowed, lambda: chat.delete_message(cast.cleo, cast.code, by_ben), "whoever said it")
    chat.delete_message(cast.ada, cast.code, by_cleo)
    set_room(cast, chat="off")
    chat.delete_message(cast.ben, cast.code, by_ben)


def test_a_sign_is_put_once_and_taken_back(cast: Cast) -> None:
    message_id = say(cast)
    chat.react(cast.ben, cast.code, message_id, "❤")
    chat.react(cast.ada, cast.code, message_id, "❤️")
    with unchanged():
        chat.react(cast.ben, cast.code, message_id, "❤️")
        chat.take_back(cast.ben, cast.code, message_id, "👍")
    [sign] = talk(cast).lines[-1].signs
    assert (sign.emoji, sign.members) == ("❤️", (cast.members["ben"], cast.members["ada"]))
    chat.take_back(cast.ben, cast.code, message_id, "❤️")
    assert [sign.members for sign in talk(cast).lines[-1].signs] == [(cast.members["ada"],)]


def test_a_sign_is_one_of_a_few_and_needs_a_message_and_a_voice(cast: Cast, time) -> None:
    message_id = say(cast)
    refused(Invalid, lambda: chat.react(cast.ben, cast.code, message_id, "<b>"))
    refused(Invalid, lambda: chat.react(cast.ben, cast.code, message_id, "👍" * 50_000))
    refused(NotFound, lambda: chat.react(cast.ben, cast.code, 999, "👍"))
    mute(cast, "ben", time.now_ms + 1_000)
    refused(NotAllowed, lambda: chat.react(cast.ben, cast.code, message_id, "👍"))
    refused(NotAllowed, lambda: chat.check_taps(cast.ben, cast.code))
    refused(NotAllowed, lambda: chat.check_taps(cast.dan, cast.code))
    chat.check_taps(cast.cleo, cast.code)
    set_room(cast, chat="off")
    refused(NotAllowed, lambda: chat.check_taps(cast.cleo, cast.code))


# Reading


def test_fifty_are_shown_and_more_on_going_back(cast: Cast, time) -> None:
    ids = []
    for number in range(120):
        time.move(1)
        ids.append(say(cast, f"word {number}"))
    newest = talk(cast)
    assert [line.id for line in newest.lines] == ids[-50:] and newest.older == ids[-50]
    earlier = chat_log.page(cast.ben, cast.code, newest.older)
    assert [line.id for line in earlier.lines] == ids[20:70] and earlier.older == ids[20]
    first = chat_log.page(cast.ben, cast.code, earlier.older)
    assert [line.id for line in first.lines] == ids[:20] and first.older is None
    with pytest.raises(NotAllowed):
        chat_log.page(cast.dan, cast.code, newest.older)


def test_what_happens_stands_between_what_is_said(cast: Cast) -> None:
    say(cast, "one")
    cast.add(1)
    say(cast, "two")
    people.leave(cast.cleo, cast.code)
    told = [line.words if line.is_note else line.parts[0].text for line in talk(cast).lines]
    assert told == ["came in", "came in", "one", "put", "Now playing", "two", "left"]


def test_what_was_said_outlives_the_log(cast: Cast) -> None:
    say(cast, "one")
    Event.delete().where(Event.room == cast.room()).execute()
    say(cast, "two")
    assert [line.parts[0].text for line in talk(cast).lines] == ["one", "two"]


# After a slash


def test_a_slash_does_what_a_button_does_and_says_nothing(cast: Cast, time) -> None:
    cast.add(3)
    first = cast.seen().now.id
    chat_commands.say_or_do(cast.ada, cast.code, "/skip")
    assert cast.seen().now.id != first
    chat_commands.say_or_do(cast.ben, cast.code, "/pause")
    assert cast.seen().playback.state == "paused"
    chat_commands.say_or_do(cast.ben, cast.code, "/PLAY")
    assert cast.seen().playback.state == "playing"
    assert Message.select().count() == 0


def test_a_guests_skip_is_a_vote(cast: Cast, time) -> None:
    cast.add(2)
    time.move(20)
    for name in ("ada", "ben", "cleo"):
        people.screen_opened(cast.members[name], "web")
    assert chat_commands.say_or_do(cast.cleo, cast.code, "/skip") == "Your vote to skip is in."
    assert cast.kinds()[-1] == "skip_voted"


def test_a_slash_nobody_knows_lists_what_this_person_may(cast: Cast) -> None:
    guest = refused(Invalid, lambda: chat_commands.say_or_do(cast.cleo, cast.code, "/dance"))
    assert guest.endswith("You can write /skip, /me does something, /help.")
    refused(Invalid, lambda: chat_commands.say_or_do(cast.cleo, cast.code, "/kick Ben"))
    assert "/kick name" in chat_commands.say_or_do(cast.ada, cast.code, "/help")
    refused(NotAllowed, lambda: chat_commands.say_or_do(cast.dan, cast.code, "/help"))


def test_doing_something_is_said_with_the_name(cast: Cast) -> None:
    chat_commands.say_or_do(cast.cleo, cast.code, "/me dances")
    line = talk(cast).lines[-1]
    assert line.is_action and line.parts[0].text == "dances"
    refused(Invalid, lambda: chat_commands.say_or_do(cast.cleo, cast.code, "/me "))
    chat_commands.say_or_do(cast.cleo, cast.code, "//help")
    assert talk(cast).lines[-1].parts[0].text == "/help"


def test_a_slash_names_one_person(cast: Cast) -> None:
    refused(Invalid, lambda: chat_commands.say_or_do(cast.ada, cast.code, "/kick"), "Nobody")
    refused(Invalid, lambda: chat_commands.say_or_do(cast.ada, cast.code, "/mute Nemo"), "Nobody")


def test_the_host_mutes_and_sends_out_by_name(cast: Cast, time) -> None:
    pytest.importorskip("party.moderation")
    assert "muted" in chat_commands.say_or_do(cast.ada, cast.code, "/mute @cleo")
    refused(NotAllowed, lambda: say(cast))
    chat_commands.say_or_do(cast.ada, cast.code, "/kick Cleo")
    assert Member.get_by_id(cast.members["cleo"]).left_at is not None


def test_it_is_a_person_who_talks(cast: Cast) -> None:
    refused(Refusal, lambda: chat.say(Person(9_999), cast.code, "hello"))

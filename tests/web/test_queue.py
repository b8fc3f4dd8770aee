"""The line by URL: what forms and scripts of ours are answered."""

from __future__ import annotations

import pytest
from flask import Flask

from models import Item, Member, Vote
from party import people, queue
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.screen import Screen, roots
from tests.stage import Cast


@pytest.fixture
def script(app: Flask, cast: Cast) -> Browser:
    """Cleo's browser with our scripts in it."""
    return Browser(app, cast.cleo, htmx=True)


def open_screen(browser: Browser, cast: Cast) -> tuple[Screen, dict[str, str]]:
    """A loaded page, and what its requests say about it."""
    screen = Screen(browser.get(f"/rooms/{cast.code}").text.removeprefix("<!doctype html>"))
    return screen, {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}


def test_a_plain_form_is_answered_with_the_room(cast: Cast, cleo: Browser) -> None:
    cast.add(1)
    line = f"/rooms/{cast.code}/queue"
    answer = cleo.post(line, track_id=cast.tracks[5])
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    [item] = cast.line()
    for path, form in (
        (f"{line}/{item}/vote", {"value": "1"}),
        (f"{line}/{item}/vote", {"value": "-1"}),
        (f"{line}/{item}/vote", {"value": "0"}),
        (f"{line}/{item}/removal", {}),
        (f"{line}/{item}/restoration", {}),
    ):
        assert cleo.post(path, **form).status_code == 303
    assert cast.kinds()[-5:] == ["vote_cast", "vote_cast", "vote_withdrawn", "item_removed", "item_restored"]


def test_our_scripts_are_answered_with_what_their_screen_lacks_and_their_own_share(
    cast: Cast, script: Browser
) -> None:
    cast.add(4)
    screen, position = open_screen(script, cast)
    item = cast.line()[2]
    answer = script.post(f"/rooms/{cast.code}/queue/{item}/vote", headers=position, value="-1")
    assert answer.status_code == 200
    assert [root.id for root in roots(answer.text)] == ["frame", f"queue-item-{item}", "mine"]
    assert screen.apply(answer.text) == "applied"
    assert screen.pieces["mine"].attrs["data-votes"] == f"{item}:-1"
    assert screen.pieces["queue"].find(f"queue-item-{item}").attrs["data-net"] == "-1"


def test_an_answer_after_other_peoples_changes_brings_those_too(cast: Cast, script: Browser) -> None:
    cast.add(3)
    screen, position = open_screen(script, cast)
    queue.cast_vote(cast.ben, cast.code, cast.line()[1], 1)
    script_answer = script.post(f"/rooms/{cast.code}/queue", headers=position, track_id=cast.tracks[9])
    assert screen.apply(script_answer.text) == "applied"
    assert [row.id for row in screen.pieces["queue"].rows()] == [f"queue-item-{item}" for item in cast.line()]


@pytest.mark.parametrize("after", ["", "0", "-3", "x", "1e9", "99999999999999999999", "9" * 6_000])
def test_a_number_that_proves_nothing_is_answered_with_everything(
    cast: Cast, script: Browser, after: str
) -> None:
    cast.add(2)
    _, position = open_screen(script, cast)
    position["X-Partyline-After"] = after
    answer = script.post(f"/rooms/{cast.code}/queue", headers=position, track_id=cast.tracks[9])
    assert answer.status_code == 200
    assert roots(answer.text)[0].attrs["data-from"] == "0"


def test_a_refusal_is_a_notice_and_nothing_else(cast: Cast, script: Browser) -> None:
    items = cast.add(3)
    track = Item.get_by_id(items[2]).track_id
    answer = script.post(f"/rooms/{cast.code}/queue", track_id=track)
    assert answer.status_code == 409
    [notice] = roots(answer.text)
    assert (notice.id, notice.attrs["role"]) == ("notice", "alert")
    assert "already in line, 2nd" in words(answer)


def test_whoever_was_too_late_is_shown_what_they_had_not_seen(cast: Cast, script: Browser) -> None:
    items = cast.add(3)
    screen, position = open_screen(script, cast)
    queue.remove_item(cast.ada, cast.code, items[2])
    answer = script.post(f"/rooms/{cast.code}/queue/{items[2]}/vote", headers=position, value=1)
    assert answer.status_code == 409
    assert screen.apply(answer.text) == "applied"
    assert [row.id for row in screen.pieces["queue"].rows()] == [f"queue-item-{items[1]}"]


def test_without_scripts_a_refusal_is_a_page_with_the_same_sentence(cast: Cast, cleo: Browser) -> None:
    item = cast.add(2)[1]
    answer = cleo.post(f"/rooms/{cast.code}/queue/{item}/removal")
    assert answer.status_code == 403
    assert tree(answer).find("main") is not None
    assert "Only the host, or whoever put it on" in words(answer)


def test_somebody_without_a_name_is_told_so(cast: Cast, app: Flask, nobody: Browser) -> None:
    before = every_row()
    for browser in (nobody, Browser(app, htmx=True)):
        answer = browser.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[0])
        assert answer.status_code == 401
        assert "Tell us your name first" in words(answer)
    assert every_row() == before


def test_a_person_who_opened_no_page_yet_takes_their_seat_by_acting(cast: Cast, dan: Browser) -> None:
    assert dan.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[0]).status_code == 303
    assert Member.select().where(Member.user == cast.dan.user_id).exists()
    assert cast.seen().now.by.name == "Dan"


def test_a_vote_is_made_by_post_and_taken_back_by_delete(cast: Cast, script: Browser) -> None:
    item = cast.add(2)[1]
    path = f"/rooms/{cast.code}/queue/{item}/vote"
    for _ in range(2):
        assert script.post(path, value="1").status_code == 200
    assert [(vote.member_id, vote.value) for vote in Vote.select()] == [(cast.members["cleo"], 1)]
    for _ in range(2):
        assert script.delete(path).status_code == 200
    assert not Vote.select().exists()


def test_removing_offers_to_undo_and_undoing_clears_the_offer(cast: Cast, app: Flask) -> None:
    ada = Browser(app, cast.ada, htmx=True)
    item = cast.add(2)[1]
    answer = ada.delete(f"/rooms/{cast.code}/queue/{item}")
    notice = next(root for root in roots(answer.text) if root.id == "notice")
    form = next(node for node in notice.all() if node.tag == "form")
    assert "Removed Song 1" in words(answer)
    assert form.attrs["action"] == form.attrs["hx-post"] == f"/rooms/{cast.code}/queue/{item}/restoration"
    assert cast.line() == []
    answer = ada.post(form.attrs["action"])
    assert cast.line() == [item]
    assert next(root for root in roots(answer.text) if root.id == "notice").children == []


def test_undoing_too_late_is_refused_with_a_sentence(cast: Cast, time, ada: Browser) -> None:
    item = cast.add(2)[1]
    ada.post(f"/rooms/{cast.code}/queue/{item}/removal")
    time.move(13)
    answer = ada.post(f"/rooms/{cast.code}/queue/{item}/restoration")
    assert answer.status_code == 409
    assert "too late" in words(answer)


def test_a_move_names_the_neighbour_it_goes_after(cast: Cast, ada: Browser, cleo: Browser) -> None:
    a, b, c = cast.add(4)[1:]
    assert ada.post(f"/rooms/{cast.code}/queue/{c}/move", after=a).status_code == 303
    assert cast.line() == [a, c, b]
    assert ada.post(f"/rooms/{cast.code}/queue/{b}/move", after="").status_code == 303
    assert cast.line() == [b, a, c]
    assert ada.post(f"/rooms/{cast.code}/queue/{c}/move").status_code == 303
    assert cast.line() == [c, b, a]
    answer = cleo.post(f"/rooms/{cast.code}/queue/{a}/move", after="")
    assert answer.status_code == 403
    assert "A vote helps" in words(answer)


def test_the_same_key_again_acts_once(cast: Cast, script: Browser) -> None:
    cast.add(1)
    key = {"Idempotency-Key": "a-key"}
    for _ in range(3):
        assert (
            script.post(f"/rooms/{cast.code}/queue", headers=key, track_id=cast.tracks[5]).status_code == 200
        )
    assert len(cast.line()) == 1
    assert script.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[5]).status_code == 409


def test_a_refused_key_may_be_used_again(cast: Cast, script: Browser) -> None:
    cast.add(1)
    key = {"Idempotency-Key": "a-key"}
    assert script.post(f"/rooms/{cast.code}/queue", headers=key, track_id="999").status_code == 404
    assert script.post(f"/rooms/{cast.code}/queue", headers=key, track_id=cast.tracks[5]).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_key_that_is_none_is_refused(cast: Cast, script: Browser, key: str) -> None:
    answer = script.post(
        f"/rooms/{cast.code}/queue", headers={"Idempotency-Key": key}, track_id=cast.tracks[5]
    )
    assert answer.status_code == 422
    assert not Item.select().exists()


def test_who_left_and_acts_on_an_old_page_is_back(cast: Cast, cleo: Browser) -> None:
    item = cast.add(2)[1]
    people.leave(cast.cleo, cast.code)
    assert cleo.post(f"/rooms/{cast.code}/queue/{item}/vote", value="1").status_code == 303
    assert Member.get_by_id(cast.members["cleo"]).left_at is None

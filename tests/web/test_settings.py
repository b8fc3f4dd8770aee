"""Settings, suggestions, the controls and votes to skip by URL: what forms and our scripts are answered."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from models import Member, Playback, Suggestion, Track
from party import configuring, control, suggestions
from party.settings import load
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.screen import Screen
from tests.stage import Cast

PAYLOAD = "\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def script(app: Flask, cast: Cast) -> Browser:
    """Cleo's browser with our scripts in it."""
    return Browser(app, cast.cleo, htmx=True)


def page(browser: Browser, cast: Cast) -> Screen:
    return Screen(browser.get(f"/rooms/{cast.code}").text.removeprefix("<!doctype html>"))


def approval(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})


# --- settings --------------------------------------------------------------------------------------------------------


def test_what_the_form_holds_is_set_and_the_rest_stays(cast: Cast, ada: Browser) -> None:
    url = f"/rooms/{cast.code}/settings"
    for form in (
        {"skip": "host"},
        {"max_waiting": "5"},
        {"explicit": "no"},
        {"explicit": ["no", "yes"], "vote": "cohosts", "mode": "hand", "unknown": "1"},
        {"name": " Late  show "},
    ):
        answer = ada.post(url, **form)
        assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    settings = load(cast.room().settings)
    assert (settings.skip, settings.max_waiting, settings.explicit, settings.vote) == (
        "host",
        5,
        True,
        "cohosts",
    )
    assert (cast.room().name, cast.room().mode, settings.add) == ("Late show", "charts", "all")
    ada.post(url, preset="radio")
    assert load(cast.room().settings).preset == "radio"


@pytest.mark.parametrize(
    "form",
    [
        {"skip": "nobody"},
        {"max_waiting": "x"},
        {"max_waiting": "101"},
        {"max_waiting": ""},
        {"explicit": "maybe"},
        {"preset": "disco"},
        {"name": ""},
        {"name": "x" * 61},
        {"skip": "host", "chat_kept": "1"},
    ],
)
def test_nonsense_is_refused_with_a_sentence(cast: Cast, ada: Browser, form: dict[str, str]) -> None:
    before = every_row()
    assert ada.post(f"/rooms/{cast.code}/settings", **form).status_code == 422
    assert {**every_row(), "Session": []} == {**before, "Session": []}


def test_the_others_read_the_rules_and_set_nothing(cast: Cast, ben: Browser, cleo: Browser) -> None:
    for browser in (ben, cleo):
        answer = browser.post(f"/rooms/{cast.code}/settings", skip="host")
        assert answer.status_code == 403
        assert "Only the host may change the room’s settings." in words(answer)
        shown = tree(browser.get(f"/rooms/{cast.code}")).find("settings")
        assert shown.find("set-skip") is None
        assert "Half the room together" in str(shown)


def test_the_hosts_drawer_says_how_the_room_is_set(cast: Cast, ada: Browser) -> None:
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 7, "accounts_only": True})
    configuring.rename_room(cast.ada, cast.code, PAYLOAD)
    shown = tree(ada.get(f"/rooms/{cast.code}")).find("settings")
    chosen = {
        node.id: option.attrs["value"]
        for node in shown.all()
        if node.tag == "select"
        for option in node.all()
        if "selected" in option.attrs
    }
    assert (chosen["set-max_waiting"], chosen["set-add"], chosen["set-skip"]) == ("7", "all", "vote")
    assert shown.find("set-name").attrs["value"] == PAYLOAD
    assert "checked" in shown.find("set-accounts_only").attrs


def test_a_change_of_settings_redraws_everything_for_everybody(
    cast: Cast, script: Browser, ada: Browser
) -> None:
    cast.add(2)
    screen = page(script, cast)
    ada.post(f"/rooms/{cast.code}/settings", control="all")
    headers = {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}
    answer = script.get(f"/rooms/{cast.code}/changes", headers=headers)
    assert screen.apply(answer.text) == "applied"
    assert screen.pieces["now-playing"].find("play")
    assert screen.pieces["playback"].attrs["data-can-control"] == "true"


# --- suggestions -----------------------------------------------------------------------------------------------------


def test_the_same_button_suggests_where_the_host_lets_tracks_on(
    cast: Cast, cleo: Browser, script: Browser
) -> None:
    approval(cast)
    answer = cleo.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[1])
    assert answer.status_code == 303
    assert "The host will let your track onto the line." in words(cleo.get(answer.location))
    screen = page(script, cast)
    headers = {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}
    answer = script.post(f"/rooms/{cast.code}/queue", headers, track_id=cast.tracks[2])
    assert "The host will let your track onto the line." in words(answer)
    assert screen.apply(answer.text) == "applied"
    wishes = [wish.id for wish in Suggestion.select().order_by(Suggestion.id)]
    pairs = zip(cast.tracks[1:3], wishes, strict=True)
    assert screen.pieces["mine"].attrs["data-suggested"] == " ".join(
        f"{track}:{wish}" for track, wish in pairs
    )
    assert cast.line() == []
    script.post(f"/rooms/{cast.code}/suggestions/{wishes[0]}/removal")
    assert Suggestion.get_by_id(wishes[0]).state == "withdrawn"


def test_where_everybody_adds_the_button_adds(cast: Cast, cleo: Browser) -> None:
    cast.add(1)
    cleo.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[5])
    assert len(cast.line()) == 1


def test_leaders_decide_in_the_tray_and_guests_do_not_even_see_it(
    cast: Cast, ben: Browser, cleo: Browser, script: Browser
) -> None:
    approval(cast)
    tray = tree(ben.get(f"/rooms/{cast.code}")).find("requests")
    assert (tray.attrs["data-count"], "hidden" in tray.attrs) == ("0", False)
    url = f"/rooms/{cast.code}/suggestions"
    wishes = []
    for track in cast.tracks[1:5]:
        cleo.post(url, track_id=track)
        wishes.append(Suggestion.select().order_by(Suggestion.id.desc()).get().id)
    assert "Song 1" in str(tree(ben.get(f"/rooms/{cast.code}")).find("requests"))
    hidden = tree(cleo.get(f"/rooms/{cast.code}")).find("requests")
    assert "hidden" in hidden.attrs
    assert "Song" not in str(hidden)
    assert cleo.post(f"{url}/{wishes[0]}", decision="approve").status_code == 403
    assert ben.post(f"{url}/{wishes[0]}", decision="").status_code == 422
    ben.post(f"{url}/{wishes[0]}", decision="decline", reason=PAYLOAD)
    ben.post(f"{url}/{wishes[1]}", decision="approve")
    ben.post(f"{url}/{wishes[2]}", all="yes")
    assert [Suggestion.get_by_id(wish).state for wish in wishes] == ["declined"] + ["approved"] * 3
    mine = page(script, cast).pieces["mine"].attrs["data-answers"]
    assert [wishes[0], "declined", "Song 1", "Ben", PAYLOAD] in json.loads(mine)
    assert ben.post(f"{url}/{2**31 - 1}", decision="approve").status_code == 404


def test_what_a_room_leaves_out_is_not_found_in_its_library(cast: Cast, cleo: Browser) -> None:
    Track.update(is_explicit=True, genre="shanty").where(Track.id == cast.tracks[0]).execute()
    Track.update(is_hidden=True, genre="polka").where(Track.id == cast.tracks[1]).execute()

    def found(**query: str) -> str:
        return words(cleo.get("/library", **query))

    assert "Song 0" in found(room=cast.code) and "shanty" in found(room=cast.code)
    assert "Song 1 " not in found(room=cast.code) and "polka" not in found(room=cast.code)
    configuring.change_settings(cast.ada, cast.code, {"explicit": False})
    assert "Song 0" not in found(room=cast.code) and "shanty" not in found(room=cast.code)


# --- the controls ----------------------------------------------------------------------------------------------------


def test_asked_for_granted_used_and_gone(cast: Cast, time, ada: Browser, cleo: Browser) -> None:
    cast.add(2)
    url, cleos = f"/rooms/{cast.code}/control", cast.members["cleo"]
    assert tree(cleo.get(f"/rooms/{cast.code}")).find("ask-control")
    assert cleo.post(url).status_code == 303
    assert page(cleo, cast).pieces["mine"].attrs["data-asking"] == "yes"
    tray = tree(ada.get(f"/rooms/{cast.code}")).find("requests")
    assert tray.find(f"asks-while-{cleos}") and "hidden" not in tray.attrs
    assert ada.post(f"{url}/{cleos}", grant="once").status_code == 303
    shown = tree(cleo.get(f"/rooms/{cast.code}")).find("now-playing")
    assert shown.find("play") and not shown.find("ask-control")
    assert cleo.post(f"/rooms/{cast.code}/playback", action="pause").status_code == 303
    shown = tree(ada.get(f"/rooms/{cast.code}")).find("now-playing")
    assert shown.attrs["data-paused-by"] == "Cleo"
    assert cleo.post(f"/rooms/{cast.code}/playback", action="play").status_code == 403
    cleo.post(url)
    cleo.post(url, wish="stop")
    assert Member.get_by_id(cleos).asked_control_at is None


def test_answers_to_nobody_and_nonsense_are_refused(cast: Cast, ada: Browser, cleo: Browser) -> None:
    url = f"/rooms/{cast.code}/control"
    assert ada.post(f"{url}/{cast.members['cleo']}", grant="twice").status_code == 422
    assert ada.post(f"{url}/999", grant="once").status_code == 404
    assert cleo.post(f"{url}/{cast.members['cleo']}", grant="while").status_code == 403


# --- skipping --------------------------------------------------------------------------------------------------------


def test_a_guest_votes_to_skip_and_takes_it_back(cast: Cast, time, script: Browser) -> None:
    cast.add(2)
    time.move(20)
    play, url = Playback.get().play_id, f"/rooms/{cast.code}/skip"
    button = tree(script.get(f"/rooms/{cast.code}")).find("skip-vote")
    assert (button.attrs["value"], "hidden" in button.attrs) == (str(play), False)
    assert script.post(url, play=play).status_code == 200
    assert page(script, cast).pieces["mine"].attrs["data-skips"] == str(play)
    assert script.delete(f"{url}?play={play}").status_code == 200
    assert page(script, cast).pieces["mine"].attrs["data-skips"] == ""
    assert script.post(url, play=play + 1).status_code == 409
    assert script.post(url).status_code == 422


def test_a_leader_has_a_button_and_no_vote(cast: Cast, time, ben: Browser) -> None:
    cast.add(2)
    shown = tree(ben.get(f"/rooms/{cast.code}")).find("now-playing")
    assert shown.find("skip-now") and not shown.find("skip-vote")
    assert ben.post(f"/rooms/{cast.code}/skip", play=Playback.get().play_id).status_code == 403


def test_buttons_stand_exactly_where_the_press_would_work(
    cast: Cast, time, cleo: Browser, ben: Browser
) -> None:
    cast.add(2)
    configuring.change_settings(cast.ada, cast.code, {"skip": "host", "control": "all"})
    for browser in (cleo, ben):
        shown = tree(browser.get(f"/rooms/{cast.code}")).find("now-playing")
        assert shown.find("play") and not shown.find("skip-now") and not shown.find("ask-control")
        assert "hidden" in shown.find("skip-vote").attrs


def test_a_suggestion_reaches_the_suggester_live(cast: Cast, script: Browser) -> None:
    approval(cast)
    wish = suggestions.suggest_item(cast.cleo, cast.code, cast.tracks[1])
    control.ask_control(cast.cleo, cast.code)
    screen = page(script, cast)
    suggestions.decide_suggestion(cast.ada, cast.code, wish, "decline", "Too loud")
    headers = {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}
    screen.apply(script.get(f"/rooms/{cast.code}/changes", headers=headers).text)
    assert "Too loud" in screen.pieces["mine"].attrs["data-answers"]

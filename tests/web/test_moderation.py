"""Moderation by URL: sending out and its undo, banning, muting; what a removed person's old page may still do."""

from __future__ import annotations

import pytest
from flask import Flask

from models import Ban, Member
from party import entry
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.stage import Cast


def sits(cast: Cast, name: str) -> bool:
    return Member.get_by_id(cast.members[name]).left_at is None


def test_sending_out_offers_to_undo_it(cast: Cast, app: Flask) -> None:
    ada, address = Browser(app, cast.ada, htmx=True), f"/rooms/{cast.code}/people/{cast.members['cleo']}"
    answer = ada.post(f"{address}/kick")
    assert answer.status_code == 200 and "Undo" in answer.text and f"{address}/return" in answer.text
    assert not sits(cast, "cleo")
    assert ada.post(f"{address}/return").status_code == 200
    assert sits(cast, "cleo")


def test_who_was_sent_out_sees_the_door_and_an_old_button_is_no_way_in(
    cast: Cast, ada: Browser, cleo: Browser
) -> None:
    cast.add(2)
    room = f"/rooms/{cast.code}"
    ada.post(f"{room}/people/{cast.members['cleo']}/kick")
    script = Browser(ada.client.application, cast.cleo, htmx=True)
    for browser in (cleo, script):
        assert browser.post(f"{room}/queue/{cast.line()[0]}/vote", value="1").status_code == 403
    assert cleo.get(f"{room}/changes").status_code == 403
    page = cleo.get(f"{room}/door")
    assert page.status_code == 200 and "You were sent out" in words(page) and "Song" not in page.text
    assert cleo.post(f"{room}/door").location == room
    assert sits(cast, "cleo")


def test_a_banned_person_is_told_why_and_comes_in_by_no_way(cast: Cast, ada: Browser, cleo: Browser) -> None:
    room = f"/rooms/{cast.code}"
    answer = ada.post(
        f"{room}/people/{cast.members['cleo']}/ban", reason="Too loud", minutes="60", items="yes"
    )
    assert answer.status_code == 303
    for path in ("", "/door"):
        page = cleo.get(f"{room}{path}")
        assert page.status_code == 403 and "The host says: Too loud" in words(page)
        assert tree(page).find("queue") is None and "60 min" in words(page)
    before = every_row()
    for path in ("/door", "/knock", "/queue", "/changes"):
        answer = cleo.get(f"{room}{path}") if path == "/changes" else cleo.post(f"{room}{path}", track_id="1")
        assert answer.status_code in (403, 409), path
    assert every_row() == before
    shown = ada.get(f"{room}/bans")
    assert "Cleo" in words(shown) and "Too loud" in words(shown)
    assert cleo.get(f"{room}/bans").status_code == 403
    assert ada.post(f"{room}/bans/{Ban.get().id}/removal").status_code == 303
    assert cleo.get(room).status_code == 200


def test_a_ban_by_network_holds_for_whoever_comes_from_there(
    cast: Cast, app: Flask, ada: Browser, dan: Browser
) -> None:
    dan.get(f"/rooms/{cast.code}")
    seat = Member.get(Member.user == cast.dan.user_id)
    ada.post(f"/rooms/{cast.code}/people/{seat.id}/ban", network="yes")
    assert Ban.get().network_hash == seat.network_hash
    fresh = Browser(app)
    fresh.post("/guest", display_name="Not Dan at all")
    assert fresh.get(f"/rooms/{cast.code}").status_code == 403
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert fresh.client.get(f"/rooms/{cast.code}", **elsewhere).status_code == 200


@pytest.mark.parametrize(("minutes", "is_long"), [(None, False), ("5", False), ("0", True)])
def test_muting_for_a_while_and_for_good(
    cast: Cast, ben: Browser, minutes: str | None, is_long: bool
) -> None:
    address = f"/rooms/{cast.code}/people/{cast.members['cleo']}"
    form = {} if minutes is None else {"minutes": minutes}
    assert ben.post(f"{address}/mute", **form).status_code == 303
    assert (Member.get_by_id(cast.members["cleo"]).muted_until > 10**14) is is_long
    assert ben.post(f"{address}/unmute").status_code == 303
    assert Member.get_by_id(cast.members["cleo"]).muted_until is None


def test_the_list_of_people_is_the_same_for_everybody(cast: Cast, ada: Browser, cleo: Browser) -> None:
    for browser in (ada, cleo):
        page = tree(browser.get(f"/rooms/{cast.code}"))
        assert page.find("person-menu") is not None
    assert str(tree(ada.get(f"/rooms/{cast.code}")).find("people")) == str(
        tree(cleo.get(f"/rooms/{cast.code}")).find("people")
    )


def test_guests_are_shown_nothing_of_the_doors_keys(
    cast: Cast, ada: Browser, ben: Browser, cleo: Browser
) -> None:
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    shown = {
        name: {
            part
            for part in ("access", "lock-door", "banned", "rotate-code", "invite-make")
            if tree(browser.get(f"/rooms/{cast.code}")).find(part) is not None
        }
        for name, browser in (("ada", ada), ("ben", ben), ("cleo", cleo))
    }
    assert shown["cleo"] == set()
    assert shown["ben"] == {"lock-door", "banned", "invite-make"}
    assert shown["ada"] == {"access", "lock-door", "banned", "rotate-code", "invite-make"}

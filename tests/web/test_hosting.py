"""Who hosts, by URL: offers, claims, roles, the end, deleting, starting again, My rooms, what the memory offers."""

from __future__ import annotations

from typing import Any

import pytest

from models import Member, Room
from party import hosting, people
from party.change import Person
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.party.test_hosting import arrive
from tests.party.test_hosting_roles import lose_host
from tests.stage import Cast


def role(cast: Cast, name: str) -> str:
    return str(Member.get_by_id(cast.members[name]).role)


def at(cast: Cast, path: str) -> str:
    return f"/rooms/{cast.code}/{path}"


@pytest.fixture(autouse=True)
def everybody_is_here(cast: Cast) -> None:
    for name in ("ada", "ben", "cleo"):
        arrive(cast, name)


def test_the_host_hands_the_room_over_by_forms_alone(cast: Cast, ada: Browser, cleo: Browser) -> None:
    answer = ada.post(at(cast, "host"), to=cast.members["cleo"])
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert cleo.post(at(cast, "host/answer"), answer="accept").status_code == 303
    assert (role(cast, "ada"), role(cast, "cleo")) == ("cohost", "host")
    assert ada.post(at(cast, "host/claim")).status_code == 303
    assert role(cast, "ada") == "host"


def test_an_offer_is_withdrawn_by_naming_nobody_and_declined_with_no(
    cast: Cast, ada: Browser, ben: Browser
) -> None:
    ada.post(at(cast, "host"), to=cast.members["ben"])
    ada.post(at(cast, "host"))
    assert cast.seen().offered_host is None
    ada.post(at(cast, "host"), to=cast.members["ben"])
    ben.post(at(cast, "host/answer"), answer="decline")
    assert (cast.seen().offered_host, role(cast, "ada")) == (None, "host")


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("host", {"to": "abc"}, 422),
        ("host", {"to": "-1"}, 422),
        ("host", {"to": "99999"}, 404),
        ("host/answer", {}, 422),
        ("host/answer", {"answer": "maybe"}, 422),
        ("people/99999/role", {"role": "cohost"}, 404),
        ("people/3/role", {"role": "host"}, 422),
        ("people/3/role", {}, 422),
        ("deletion", {"name": "Fryday"}, 422),
        ("again", {}, 409),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    cast: Cast, ada: Browser, path: str, form: dict[str, Any], status: int
) -> None:
    ada.get(f"/rooms/{cast.code}")
    before = every_row()
    assert ada.post(at(cast, path), **form).status_code == status
    assert every_row() == before


LEADING = {
    "host": {"to": "3"},
    "people/3/role": {"role": "cohost"},
    "end": {},
    "deletion": {"name": "Friday"},
}


@pytest.mark.parametrize("path", LEADING)
@pytest.mark.parametrize("name", ["ben", "cleo"])
def test_nobody_but_the_host_leads_by_url(cast: Cast, app: Any, path: str, name: str) -> None:
    browser = Browser(app, getattr(cast, name))
    before = every_row()
    assert browser.post(at(cast, path), **LEADING[path]).status_code == 403
    assert every_row() == before


@pytest.mark.parametrize("path", [*LEADING, "host/claim", "host/answer", "again"])
def test_t14_a_room_that_is_not_there_and_a_private_one_answer_strangers_alike(
    cast: Cast, dan: Browser, path
) -> None:
    Room.update(visibility="private").execute()
    form = LEADING.get(path, {"answer": "accept"})
    private = dan.post(at(cast, path), **form)
    missing = dan.post(f"/rooms/ABCDEFGH/{path}", **form)
    assert private.status_code == missing.status_code == 404
    assert words(private) == words(missing)


@pytest.mark.parametrize("path", [*LEADING, "host/claim", "host/answer", "again"])
def test_t2_nothing_happens_from_a_foreign_page_or_by_a_link(cast: Cast, ada: Browser, path: str) -> None:
    before = every_row()
    answer = ada.post(at(cast, path), headers={"Sec-Fetch-Site": "cross-site"}, **LEADING.get(path, {}))
    assert answer.status_code == 403
    assert ada.get(at(cast, path)).status_code in (404, 405)
    assert {**every_row(), "Session": []} == {**before, "Session": []}


def test_a_cohost_takes_the_line_and_their_screen_has_everything_of_a_host(
    cast: Cast, time, app: Any
) -> None:
    lose_host(cast, time)
    ben = Browser(app, cast.ben, htmx=True)
    room = cast.seen()
    answer = ben.post(
        at(cast, "host/claim"),
        headers={"X-Partyline-After": str(room.seq), "X-Partyline-Epoch": room.epoch},
    )
    assert answer.status_code == 200
    html = answer.get_data(as_text=True)
    assert 'data-role="host"' in html
    assert "End the party" in html or 'id="settings"' in html


def test_who_ends_the_party_sees_its_memory_and_may_start_again(
    cast: Cast, ada: Browser, ben: Browser
) -> None:
    cast.add(3)
    assert ada.post(at(cast, "end")).status_code == 303
    memory = ada.get(f"/rooms/{cast.code}")
    assert "2 tracks were still waiting" in words(memory)
    assert "Start again with what was left" in words(memory)
    assert "Start again" not in words(ben.get(f"/rooms/{cast.code}"))
    answer = ada.post(at(cast, "again"))
    code = answer.location.rpartition("/")[2]
    assert (answer.status_code, code) != (303, cast.code)
    assert ada.post(at(cast, "again")).location == answer.location
    assert ada.get(answer.location).status_code == 200
    for browser, sees in ((ada, True), (ben, True)):
        assert (f'href="/rooms/{code}"' in browser.get(f"/rooms/{cast.code}").get_data(as_text=True)) is sees


def test_a_stranger_sees_no_way_to_the_new_room(
    cast: Cast, ada: Browser, dan: Browser, nobody: Browser
) -> None:
    ada.post(at(cast, "end"))
    code = ada.post(at(cast, "again")).location.rpartition("/")[2]
    for browser in (dan, nobody):
        page = browser.get(f"/rooms/{cast.code}")
        assert code not in page.get_data(as_text=True)
        assert "Delete" not in words(page)


def test_deleting_takes_the_name_and_leads_to_my_rooms(cast: Cast, ada: Browser) -> None:
    assert ada.post(at(cast, "deletion"), name="").status_code == 422
    answer = ada.post(at(cast, "deletion"), name="Friday")
    assert (answer.status_code, answer.location) == (303, "/my-rooms")
    assert ada.get(f"/rooms/{cast.code}").status_code == 404
    assert "No rooms yet" in words(ada.get("/my-rooms"))


def test_my_rooms_shows_state_role_and_what_may_be_done(cast: Cast, ada: Browser, cleo: Browser) -> None:
    page = words(ada.get("/my-rooms"))
    for word in ("Friday", "Open", "3 people here", "You host", "Delete"):
        assert word in page
    assert "Delete" not in words(cleo.get("/my-rooms"))
    hosting.end_room(cast.ada, cast.code)
    assert "Start again" in words(ada.get("/my-rooms"))
    assert "Start again" not in words(cleo.get("/my-rooms"))


def test_my_rooms_asks_who_one_is_and_turns_pages(cast: Cast, nobody: Browser, ada: Browser) -> None:
    assert nobody.get("/my-rooms").status_code == 401
    assert ada.get("/my-rooms", page="2").status_code == 200
    assert ada.get("/my-rooms", page="0").status_code == 422
    assert ada.get("/my-rooms", page="x").status_code == 422


@pytest.mark.parametrize(
    "name", ['<script>alert("x")</script>', '"><img src=x onerror=1>', "{{ 7*7 }}", "‮evil"]
)
def test_t3_a_hostile_room_name_is_text_on_my_rooms_and_in_the_memory(
    cast: Cast, ada: Browser, name: str
) -> None:
    Room.update(name=name).execute()
    hosting.end_room(cast.ada, cast.code)
    for path in ("/my-rooms", f"/rooms/{cast.code}"):
        page = tree(ada.get(path))
        scripts = [node for node in page.all() if node.tag == "script"]
        assert all((node.attrs.get("src") or "").startswith("/static/") for node in scripts)
        assert not [node for node in page.all() if any(key.startswith("on") for key in node.attrs)]
        assert any(node.attrs.get("data-exactly") == name for node in page.all())


def test_the_banner_names_the_heir_and_a_kept_room_counts_nothing_down(
    cast: Cast, time, cleo: Browser
) -> None:
    people.screens_closed(cast.members["ada"], "web-1")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(5)
    banner = tree(cleo.get(f"/rooms/{cast.code}")).find("banner")
    text = " ".join(str(banner).split())
    assert "Ben" in text and "takes the line" in text and "data-until-ms" in text
    Room.update(settings={"keep": True}).execute()
    Member.update(role="guest").where(Member.id == cast.members["ben"]).execute()
    kept = str(tree(cleo.get(f"/rooms/{cast.code}")).find("banner"))
    assert "The room waits." in kept or "room waits" in kept
    assert "data-until-ms" not in kept


def test_a_room_of_one_s_own_is_found_by_its_owner_only(cast: Cast, app: Any) -> None:
    stranger = Browser(app, Person(cast.dan.user_id))
    assert "Friday" not in words(stranger.get("/my-rooms"))

"""The doors by URL: what a stranger sees, coming in by each way, and that a private room answers like none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask

import fragments
from models import Attempt, Invite, Knock, Member, Room, User
from party import doorway, invites, knocks, moderation, passwords, people
from party.change import Person
from tests.doors import COOKIE, Browser, tree, words
from tests.ledger import every_row
from tests.stage import Cast, set_access

PASSWORD = "moss and lichen"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield


def set_door(cast: Cast, visibility: str, way: str) -> None:
    set_access(cast.ada, cast.code, visibility, way, PASSWORD)


def is_in(cast: Cast, person: Person) -> bool:
    return (
        Member.select()
        .where(Member.user == person.user_id, Member.left_at.is_null(), Member.room == cast.room())
        .exists()
    )


# --- a room one may not see ------------------------------------------------------------------------------------------

NOBODYS = "ABCDEFGH"
ASKED = [
    ("GET", ""),
    ("GET", "/changes"),
    ("GET", "/door"),
    ("GET", "/knock"),
    ("GET", "/bans"),
    ("GET", "/invites"),
    ("GET", "/card.png"),
    ("POST", "/queue"),
    ("POST", "/queue/1/vote"),
    ("POST", "/playback"),
    ("POST", "/mode"),
    ("POST", "/leave"),
    ("POST", "/door"),
    ("POST", "/knock"),
    ("POST", "/knock/withdrawal"),
    ("POST", "/knocks/1"),
    ("POST", "/invites"),
    ("POST", "/invites/1/removal"),
    ("POST", "/code"),
    ("POST", "/lock"),
    ("POST", "/access"),
    ("POST", "/people/1/kick"),
    ("POST", "/people/1/ban"),
    ("POST", "/people/1/mute"),
    ("POST", "/people/1/unmute"),
    ("POST", "/bans/1/removal"),
]


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize("way", ["password", "approval"])
def test_a_private_room_answers_exactly_like_none(
    cast: Cast, app: Flask, monkeypatch, way: str, htmx: bool
) -> None:
    monkeypatch.setattr(people, "friendly_name", lambda: "Gentle Otter")
    set_door(cast, "private", way)
    form = {"track_id": "1", "value": "1", "action": "pause", "mode": "hand", "password": "wrong words"}
    form |= {"visibility": "public", "entry": "open", "decision": "approve", "display_name": "Dan"}
    for person in (cast.dan, None):
        browser = Browser(app, person, htmx=htmx)
        for method, path in ASKED:
            Attempt.delete().execute()
            answers = [
                browser.ask(method, f"/rooms/{code}{path}", **({"data": form} if method == "POST" else {}))
                for code in (cast.code, NOBODYS)
            ]
            seen = [
                (answer.status_code, answer.text.replace(code, "CODE"), answer.headers.get("Cache-Control"))
                for answer, code in zip(answers, (cast.code, NOBODYS), strict=True)
            ]
            assert seen[0] == seen[1], f"{method} {path}"
            # Somebody without a name is asked for one before anything is looked up, as everywhere.
            wanted = (404,) if person else (404, 401)
            assert seen[0][0] in wanted, f"{method} {path} answers {seen[0][0]}"
            assert seen[0][2] == "no-store"
        for code in (cast.code, NOBODYS):
            Attempt.delete().execute()
            assert browser.get("/library", room=code).status_code == 404
    assert not is_in(cast, cast.dan)


@pytest.mark.parametrize("way", ["password", "approval"])
def test_a_closed_door_shows_nothing_of_the_room_but_its_name(cast: Cast, app: Flask, way: str) -> None:
    cast.add(2)
    set_door(cast, "unlisted", way)
    dan, nobody = Browser(app, cast.dan), Browser(app)
    for browser in (dan, nobody):
        page = browser.get(f"/rooms/{cast.code}")
        assert page.status_code == 403
        assert "Friday" in words(page) and "Song" not in page.text and "Cleo" not in page.text
        assert tree(page).find("queue") is None
    for path in ("changes", "library?room="):
        address = f"/rooms/{cast.code}/changes" if path == "changes" else f"/library?room={cast.code}"
        assert dan.get(address).status_code == 403
    script = Browser(app, cast.dan, htmx=True)
    before = every_row()
    for browser in (dan, script):
        answer = browser.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[0])
        assert answer.status_code == 403 and "first" in words(answer)
    assert every_row() == before


def test_a_stranger_at_an_open_room_sees_it_with_the_name_sheet(cast: Cast, nobody: Browser) -> None:
    page = nobody.get(f"/rooms/{cast.code}")
    assert page.status_code == 200 and tree(page).find("hello") is not None
    assert nobody.get(f"/rooms/{cast.code}/changes").status_code == 401


def test_codes_are_guessed_in_vain_and_the_21st_guess_is_refused(
    cast: Cast, nobody: Browser, dan: Browser
) -> None:
    for number in range(20):
        assert nobody.get(f"/rooms/GUESS{number:03}").status_code == 404
    for browser in (nobody, dan):
        for code in (cast.code, NOBODYS):
            answer = browser.get(f"/rooms/{code}")
            assert (answer.status_code, "tried too often" in words(answer)) == (429, True)
    assert dan.post("/join", code=cast.code).status_code == 429
    cleo = Browser(dan.client.application, cast.cleo)
    assert cleo.get(f"/rooms/{cast.code}").status_code == 200
    assert cleo.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[0]).status_code == 303


# --- a name ----------------------------------------------------------------------------------------------------------


def test_a_name_like_somebodys_is_asked_again(cast: Cast, app: Flask) -> None:
    double = Browser(app, Person(people.enter("Cleo")[0]))
    people.screen_opened(cast.members["cleo"], "web")
    page = double.get(f"/rooms/{cast.code}")
    assert page.status_code == 409 and "goes by Cleo" in words(page)
    again = double.post(f"/rooms/{cast.code}/door", display_name="Cleo")
    assert again.status_code == 409 and "goes by Cleo" in words(again)
    answer = double.post(f"/rooms/{cast.code}/door", display_name="Clementine")
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert double.get(answer.location).status_code == 200


# --- passwords -------------------------------------------------------------------------------------------------------


def test_name_and_password_together_open_the_door(cast: Cast, nobody: Browser, dan: Browser) -> None:
    set_door(cast, "unlisted", "password")
    address = f"/rooms/{cast.code}/door"
    count = User.select().count()
    wrong = nobody.post(address, display_name="Eve", password="moss")
    assert wrong.status_code == 403 and "not this room’s password" in words(wrong)
    assert tree(wrong).find("display-name").attrs["value"] == "Eve"
    assert "moss" not in str(tree(wrong).find("door-word").attrs.get("value"))
    assert User.select().count() == count and nobody.client.get_cookie(COOKIE) is None
    assert nobody.post(address, password=PASSWORD).status_code == 401
    answer = nobody.post(address, display_name="Eve", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert nobody.get(answer.location).status_code == 200
    assert dan.post(address, password=PASSWORD).status_code == 303
    assert is_in(cast, cast.dan)


def test_after_ten_wrong_passwords_even_the_right_one_waits(cast: Cast, dan: Browser, cleo: Browser) -> None:
    set_door(cast, "unlisted", "password")
    for _ in range(10):
        assert dan.post(f"/rooms/{cast.code}/door", password="wrong words").status_code == 403
    answer = dan.post(f"/rooms/{cast.code}/door", password=PASSWORD)
    assert answer.status_code == 429 and "tried too often" in words(answer)
    assert cleo.get(f"/rooms/{cast.code}").status_code == 200


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_code_and_password_are_typed_together_on_the_join_form(
    cast: Cast, nobody: Browser, dan: Browser, visibility: str
) -> None:
    set_door(cast, visibility, "password")
    wrong = dan.post("/join", code=cast.code, password="wrong words")
    assert wrong.status_code == (404 if visibility == "private" else 403)
    for browser, form in ((dan, {}), (nobody, {"display_name": "Eve"})):
        answer = browser.post("/join", code=cast.code, password=PASSWORD, **form)
        assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
        assert browser.get(answer.location).status_code == 200
    if visibility == "private":
        none, private = (
            Browser(dan.client.application, Person(people.enter("Finn")[0])).post(
                "/join", code=code, password="wrong words"
            )
            for code in (NOBODYS, cast.code)
        )
        assert none.status_code == private.status_code
        assert words(none) == words(private)


def test_without_its_password_the_join_form_leads_to_the_door(cast: Cast, dan: Browser) -> None:
    set_door(cast, "unlisted", "password")
    answer = dan.post("/join", code=cast.code)
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert tree(dan.get(answer.location)).find("door-word") is not None


# --- knocks ----------------------------------------------------------------------------------------------------------


def test_knocking_waiting_and_coming_in(cast: Cast, nobody: Browser, ada: Browser) -> None:
    set_door(cast, "unlisted", "approval")
    room = f"/rooms/{cast.code}"
    assert tree(nobody.get(room)).find("display-name") is not None
    answer = nobody.post(f"{room}/knock", display_name="Eve")
    assert (answer.status_code, answer.location) == (303, f"{room}/knock")
    page = nobody.get(answer.location)
    assert page.status_code == 200 and "You knocked" in words(page)
    assert tree(page).find("knock").attrs["data-state"] == "waiting"
    # The room's own address leads back to the waiting page.
    assert nobody.get(room).location == f"{room}/knock"
    script = Browser(nobody.client.application, htmx=True)
    script.client = nobody.client
    piece = script.get(f"{room}/knock").text
    assert piece.startswith('<div id="knock" hx-swap-oob=') and "<html" not in piece
    decided = ada.post(f"{room}/knocks/{Knock.get().id}", decision="approve")
    assert decided.status_code == 303
    assert f'data-go="{room}"' in script.get(f"{room}/knock").text
    assert nobody.get(f"{room}/knock").location == room
    assert "Friday" in words(nobody.get(room))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("declined", "Not just now"),
        ("expired", "Nobody came"),
        ("withdrawn", "stopped knocking"),
        ("banned", "enough"),
    ],
)
def test_the_waiting_page_says_what_became_of_it(cast: Cast, app: Flask, time, state: str, says: str) -> None:
    set_door(cast, "unlisted", "approval")
    people.leave(cast.cleo, cast.code)
    cleo, address = Browser(app, cast.cleo), f"/rooms/{cast.code}/knock"
    cleo.post(address)
    if state == "declined":
        knocks.decide_knock(cast.ada, cast.code, Knock.get().id, "decline")
    elif state == "expired":
        time.move(601)
    elif state == "withdrawn":
        assert cleo.post(f"{address}/withdrawal").location == address
    else:
        moderation.ban(cast.ada, cast.code, cast.members["cleo"], "enough")
    page = cleo.get(address)
    assert page.status_code == 200 and says in words(page)
    assert tree(page).find("knock").attrs["data-state"] == state
    assert (tree(page).find("knock-again") is not None) is (state != "banned")
    if state in ("expired", "withdrawn"):
        assert cleo.post(address).status_code == 303
        assert "You knocked" in words(cleo.get(address))


def test_who_never_knocked_is_led_to_the_door(cast: Cast, dan: Browser, cleo: Browser) -> None:
    set_door(cast, "unlisted", "approval")
    assert dan.get(f"/rooms/{cast.code}/knock").location == f"/rooms/{cast.code}/door"
    assert cleo.get(f"/rooms/{cast.code}/door").location == f"/rooms/{cast.code}"
    assert cleo.post(f"/rooms/{cast.code}/knock").location == f"/rooms/{cast.code}"


def test_the_end_of_the_room_is_the_end_of_waiting(cast: Cast, dan: Browser) -> None:
    set_door(cast, "unlisted", "approval")
    dan.post(f"/rooms/{cast.code}/knock")
    Room.update(state="EXPIRED").execute()
    assert dan.get(f"/rooms/{cast.code}/knock").status_code == 404


# --- invitations -----------------------------------------------------------------------------------------------------


def test_an_invitation_is_shown_once_and_lets_people_in(
    cast: Cast, app: Flask, ada: Browser, nobody: Browser
) -> None:
    set_door(cast, "private", "approval")
    script = Browser(app, cast.ada, htmx=True)
    answer = script.post(
        f"/rooms/{cast.code}/invites", headers={"Idempotency-Key": "k"}, quota="1", hours="6"
    )
    link = answer.text.partition('data-copy="/invites/')[2].partition('"')[0]
    assert len(link) == 22 and link not in str(every_row())
    again = script.post(f"/rooms/{cast.code}/invites", headers={"Idempotency-Key": "k"}, quota="1", hours="6")
    assert link in again.text and Invite.select().count() == 1
    shown = ada.get(f"/rooms/{cast.code}/invites")
    assert "1 of 1" in words(shown) and link not in shown.text
    page = nobody.get(f"/invites/{link}")
    assert page.status_code == 200 and "Friday" in words(page) and "Ada" in words(page)
    assert nobody.post(f"/invites/{link}").status_code == 401
    answer = nobody.post(f"/invites/{link}", display_name="Eve")
    assert answer.status_code == 303
    assert nobody.get(answer.location).status_code == 200
    late = Browser(app)
    answer = late.post(f"/invites/{link}", display_name="Finn")
    assert answer.location == f"/rooms/{cast.code}/knock"
    assert "You knocked" in words(late.get(answer.location))
    assert late.get(f"/rooms/{cast.code}").location == f"/rooms/{cast.code}/knock"


def test_an_invitation_made_without_script_is_a_page(cast: Cast, ada: Browser) -> None:
    page = ada.post(f"/rooms/{cast.code}/invites")
    assert page.status_code == 200 and "/invites/" in words(page)
    answer = ada.post(f"/rooms/{cast.code}/invites/{Invite.get().id}/removal")
    assert answer.status_code == 303 and Invite.get().revoked_at is not None


def test_a_link_that_leads_nowhere_says_so(cast: Cast, dan: Browser) -> None:
    token = invites.make_invite(cast.ada, cast.code)
    invites.revoke_invite(cast.ada, cast.code, Invite.get().id)
    answers = [dan.get(f"/invites/{text}") for text in (token, "nothing", "%00")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert dan.post(f"/invites/{token}").status_code == 404


# --- what hosts do to the door ---------------------------------------------------------------------------------------


def test_the_host_sets_the_door(cast: Cast, ada: Browser, ben: Browser) -> None:
    address = f"/rooms/{cast.code}/access"
    assert ada.post(address, visibility="private", entry="password", password=PASSWORD).status_code == 303
    assert (cast.room().visibility, cast.room().entry) == ("private", "password")
    refused = ada.post(address, visibility="private", entry="open")
    assert refused.status_code == 422 and "contradict each other" in words(refused)
    assert ben.post(address, visibility="public", entry="open").status_code == 403


def test_no_password_is_hashed_inside_a_transaction(cast: Cast, app: Flask, monkeypatch) -> None:
    from models import database

    inside: list[bool] = []
    whole = passwords.hash_password
    monkeypatch.setattr(
        passwords, "hash_password", lambda text: inside.append(database.obj.in_transaction()) or whole(text)
    )
    right = passwords.is_right
    monkeypatch.setattr(
        passwords, "is_right", lambda *words: inside.append(database.obj.in_transaction()) or right(*words)
    )
    ada, dan = Browser(app, cast.ada, htmx=True), Browser(app, cast.dan)
    key = {"Idempotency-Key": "k"}
    ada.post(f"/rooms/{cast.code}/access", key, visibility="unlisted", entry="password", password=PASSWORD)
    dan.post(f"/rooms/{cast.code}/door", password=PASSWORD)
    assert inside == [False, False]


def test_another_code_and_a_lock(cast: Cast, ada: Browser, cleo: Browser, dan: Browser) -> None:
    assert ada.post(f"/rooms/{cast.code}/code").status_code == 303
    fresh = cast.room().spoken_code
    assert dan.get(f"/rooms/{cast.code}").status_code == 404
    assert cleo.get(f"/rooms/{cast.code}").location == f"/rooms/{fresh}"
    page = cleo.get(f"/rooms/{fresh}")
    assert page.status_code == 200 and f"{fresh[:4]} {fresh[4:]}" in words(page)
    assert cleo.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[0]).status_code == 303
    assert ada.post(f"/rooms/{cast.code}/lock", locked="yes").status_code == 303
    closed = dan.get(f"/rooms/{fresh}")
    assert closed.status_code == 403 and "locked" in words(closed)
    assert ada.post(f"/rooms/{cast.code}/lock", locked="no").status_code == 303
    assert dan.get(f"/rooms/{fresh}").status_code == 200


def test_where_somebody_comes_from_is_kept_as_a_hash(cast: Cast, dan: Browser) -> None:
    dan.get(f"/rooms/{cast.code}")
    kept = Member.get(Member.user == cast.dan.user_id).network_hash
    assert kept is not None and len(kept) == 64 and "127.0.0.1" not in str(every_row())


@pytest.mark.parametrize("name", ["knock", "invites", "new_invite", "bans"])
def test_pieces_only_one_person_is_shown_have_one_root(name: str) -> None:
    values = {
        "door": doorway.Doorway("ABCDEFGH", "ABCDEFGH", "Friday", "approval", "Knock first.", True, False),
        "knock": knocks.Waiting("waiting", 1, ""),
        "invites": [invites.InviteView(1, 3, 2, 1, "Ada")],
        "bans": [moderation.BanView(1, "Cleo", "enough", None, "Ada", True)],
        "code": "ABCDEFGH",
        "link": "/invites/x",
    }
    html = fragments.render(f"fragments/{name}.html", **values, oob="")
    assert f'id="{name.replace("_", "-")}"' in html.partition(">")[0]

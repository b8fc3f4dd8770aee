"""The operator's pages and a room's log, by URL: who sees them, what they do, and that each act is written down."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from models import Room, Session, SiteEvent, Track, User
from party import audit, health, moderation, people, queue, rooms
from party import library as house_library
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.party.test_files import bring
from tests.stage import Cast, library

PAGES = (
    "/admin",
    "/admin/rooms",
    "/admin/people",
    "/admin/library",
    "/admin/jobs",
    "/admin/audit",
    "/admin/providers",
)


@pytest.fixture
def boss(app: Flask, cast: Cast) -> Browser:
    """An admin with an account."""
    User.update(is_admin=True, email="dan@example.org").where(User.id == cast.dan.user_id).execute()
    return Browser(app, cast.dan)


def acts(cast: Cast) -> list[tuple[str, dict[str, str]]]:
    """Everything an admin can press, with a form that works."""
    cleo = cast.cleo.user_id
    return [
        (f"/admin/rooms/{cast.code}/end", {}),
        (f"/admin/people/{cleo}/ban", {"days": "3"}),
        (f"/admin/people/{cleo}/ban/removal", {}),
        (f"/admin/people/{cleo}/sessions/removal", {}),
        (f"/admin/people/{cleo}/reset-link", {}),
        (f"/admin/library/{cast.tracks[0]}", {"mark": "hidden", "value": "yes"}),
        (f"/admin/library/{cast.tracks[1]}/file/removal", {}),
    ]


def test_for_everybody_else_nothing_is_at_these_addresses(cast: Cast, app: Flask, nobody: Browser) -> None:
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    User.update(is_admin=True).where(User.id == cast.ben.user_id).execute()
    browsers = [nobody, Browser(app, cast.ada), Browser(app, cast.ben), Browser(app, cast.cleo)]
    before = every_row()
    for browser in browsers:
        unknown = browser.get("/nowhere").get_data()
        for path in PAGES:
            answer = browser.get(path)
            assert answer.status_code == 404 and answer.get_data() == unknown, path
        for path, form in acts(cast):
            assert browser.post(path, **form).status_code == 404, path
    assert every_row() == before


def test_an_admin_who_was_banned_or_is_none_any_more_is_out(cast: Cast, boss: Browser) -> None:
    assert boss.get("/admin/rooms").status_code == 200
    User.update(is_admin=False).where(User.id == cast.dan.user_id).execute()
    assert boss.get("/admin/rooms").status_code == 404
    User.update(is_admin=True, banned_at=1).where(User.id == cast.dan.user_id).execute()
    assert boss.get("/admin/rooms").status_code == 404


@pytest.mark.parametrize("path", PAGES[1:])
def test_a_page_is_well_formed_and_its_name_is_marked(cast: Cast, boss: Browser, path: str) -> None:
    audit.note(cast.dan.user_id, "signed_in")
    page = tree(boss.get(path))
    marked = [node.attrs["href"] for node in page.all() if "aria-current" in node.attrs]
    assert marked == [path]
    ids = [node.id for node in page.all() if node.id]
    assert len(ids) == len(set(ids))
    labels = {node.attrs.get("for") for node in page.all() if node.tag == "label"}
    for node in page.all():
        is_field = node.tag in ("input", "select") and node.attrs.get("type") not in ("hidden", "submit")
        assert not is_field or node.id in labels, node.id


def test_the_start_leads_to_the_rooms(boss: Browser) -> None:
    answer = boss.get("/admin")
    assert (answer.status_code, answer.location) == (302, "/admin/rooms")


def test_rooms_are_found_by_name_code_and_state(cast: Cast, boss: Browser) -> None:
    other = rooms.open_room(cast.ben, "Späti 100%", 300)
    assert "Friday" in words(boss.get("/admin/rooms")) and "Späti" in words(boss.get("/admin/rooms"))
    for search in ("späti", "100%", other, f"{other[:4]} {other[4:].lower()}"):
        found = words(boss.get("/admin/rooms", search=search))
        assert "Späti" in found and "Friday" not in found, search
    assert "No room answers" in words(boss.get("/admin/rooms", search="_"))
    assert "hosted by Ada" in words(boss.get("/admin/rooms", search="friday"))
    Room.update(state="EXPIRED", expired_at=1).where(Room.code == other).execute()
    assert "Späti" not in words(boss.get("/admin/rooms", state="open"))
    assert "Friday" not in words(boss.get("/admin/rooms", state="ended"))


def test_long_lists_come_in_pages(cast: Cast, boss: Browser) -> None:
    library(60, first=100)
    for number in range(60):
        User.create(display_name=f"Guest {number}", created_at=1)
        Room.create(code=f"CODE{number:04}", name=f"Room {number}", epoch="x", created_at=1)
    for path, row in (("rooms", "room-"), ("people", "person-"), ("library", "track-")):
        seen: list[str] = []
        for page in (1, 2, 3):
            shown = tree(boss.get(f"/admin/{path}", page=page))
            seen += [node.id for node in shown.all() if node.tag == "li" and node.id.startswith(row)]
        assert len(seen) == len(set(seen)) > 60, path
    link = next(
        n for n in tree(boss.get("/admin/people", search="Guest")).all() if n.attrs.get("rel") == "next"
    )
    assert "search=Guest" in link.attrs["href"] and "page=2" in link.attrs["href"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 20, "1.5", "١"])
def test_a_page_that_cannot_be_is_refused(boss: Browser, page: str) -> None:
    for path in ("rooms", "people", "library", "audit"):
        assert boss.get(f"/admin/{path}", page=page).status_code == 422


def test_odd_searches_find_nothing_and_break_nothing(boss: Browser) -> None:
    for search in ("\x00", "%", "_", "'; DROP", "<script>", "\u202e", "x" * 5_000, "🙂", "9" * 30):
        for path in ("rooms", "people", "library"):
            assert boss.get(f"/admin/{path}", search=search).status_code == 200, (path, search)


def test_ending_a_room_is_for_good_and_written_down(cast: Cast, boss: Browser) -> None:
    cast.add(2)
    answer = boss.post(f"/admin/rooms/{cast.code}/end", next="/admin/rooms?search=fri")
    assert (answer.status_code, answer.location) == (303, "/admin/rooms?search=fri")
    assert cast.room().state == "EXPIRED" and cast.kinds()[-3:] == [
        "room_ended",
        "item_ended",
        "room_expired",
    ]
    row = SiteEvent.get()
    assert (row.kind, row.actor_id, row.data) == ("room_ended", cast.dan.user_id, {"room_id": cast.room().id})
    before = every_row()
    assert boss.post(f"/admin/rooms/{cast.code}/end").status_code == 410
    assert boss.post("/admin/rooms/ABCDEFGH/end").status_code == 404
    assert every_row() == before


def test_a_banned_person_is_signed_out_and_stays_out(cast: Cast, boss: Browser, cleo: Browser, time) -> None:
    person = cast.cleo.user_id
    answer = boss.post(f"/admin/people/{person}/ban", days="2", reason="Spam\nand more")
    assert answer.status_code == 303
    user = User.get_by_id(person)
    assert user.banned_until == time.now_ms + 2 * 86_400_000 and user.ban_reason == "Spam and more"
    assert not Session.select().where(Session.user == person).exists()
    assert cleo.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[5]).status_code == 401
    assert "banned" in words(boss.get("/admin/people", search="Cleo"))
    assert boss.post(f"/admin/people/{person}/ban/removal").status_code == 303
    assert User.get_by_id(person).banned_at is None
    noted = SiteEvent.select().order_by(SiteEvent.id)
    assert [row.kind for row in noted] == ["person_banned", "person_unbanned"]


def test_a_ban_that_makes_no_sense_changes_nothing(cast: Cast, boss: Browser) -> None:
    User.update(is_admin=True, email="ben@example.org").where(User.id == cast.ben.user_id).execute()
    before = every_row()
    for form, person, status in (
        ({"days": "0"}, cast.cleo.user_id, 422),
        ({"days": "x"}, cast.cleo.user_id, 422),
        ({"reason": "x" * 201}, cast.cleo.user_id, 422),
        ({}, cast.ben.user_id, 409),
        ({}, cast.dan.user_id, 409),
        ({}, 999, 404),
    ):
        assert boss.post(f"/admin/people/{person}/ban", **form).status_code == status, form
    assert every_row() == before


def test_sessions_end_and_their_number_is_written_down(cast: Cast, boss: Browser, cleo: Browser) -> None:
    assert boss.post(f"/admin/people/{cast.cleo.user_id}/sessions/removal").status_code == 303
    assert not Session.select().where(Session.user == cast.cleo.user_id).exists()
    row = SiteEvent.get()
    assert row.kind == "sessions_ended" and row.data["sessions"] >= 1


def test_a_link_to_a_new_password_is_shown_once(cast: Cast, boss: Browser) -> None:
    User.update(email="cleo@example.org", password_hash="x").where(User.id == cast.cleo.user_id).execute()
    answer = boss.post(f"/admin/people/{cast.cleo.user_id}/reset-link")
    field = tree(answer).find("reset-link")
    assert field is not None
    link = re.fullmatch(r"http://[\w.:]+(/reset/[\w-]{30,})", field.attrs["value"] or "")
    assert link and boss.get(link[1]).status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    row = SiteEvent.get()
    assert (row.kind, row.actor_id) == ("link_made", cast.dan.user_id)
    assert link[1].removeprefix("/reset/") not in str(every_row())
    assert boss.post(f"/admin/people/{cast.ada.user_id}/reset-link").status_code == 409


def test_a_track_is_hidden_shown_and_marked(cast: Cast, boss: Browser, ada: Browser) -> None:
    track = cast.tracks[0]
    for mark, value, kind in (
        ("hidden", "yes", "track_hidden"),
        ("explicit", "yes", "track_marked_explicit"),
        ("hidden", "no", "track_shown"),
        ("explicit", "no", "track_marked_clean"),
    ):
        assert boss.post(f"/admin/library/{track}", mark=mark, value=value).status_code == 303
        assert getattr(Track.get_by_id(track), f"is_{mark}") == (value == "yes")
        assert SiteEvent.select().order_by(SiteEvent.id.desc()).first().kind == kind
        before = every_row()
        assert boss.post(f"/admin/library/{track}", mark=mark, value=value).status_code == 303
        assert every_row() == before
    boss.post(f"/admin/library/{track}", mark="hidden", value="yes")
    assert "Song 0" in words(boss.get("/admin/library", which="hidden"))
    assert "Song 1" not in words(boss.get("/admin/library", which="hidden"))
    assert ada.post(f"/rooms/{cast.code}/queue", track_id=track).status_code == 404
    for form in ({"mark": "title", "value": "yes"}, {"mark": "hidden"}, {}):
        assert boss.post(f"/admin/library/{track}", **form).status_code == 422


def test_a_file_that_somebody_brought_is_found_and_deleted(cast: Cast, boss: Browser) -> None:
    track = bring(cast.cleo, cast.code, size=3 * 2**20)
    page = boss.get("/admin/library", which="brought")
    [form] = re.findall(r'action="(/admin/library/\d+/file/removal)"', page.text)
    assert form == f"/admin/library/{track}/file/removal"
    assert "a file of 3 MB" in words(page) and "Song 1" not in words(page)
    # What is everybody's has no such button, and does not go.
    assert boss.post(f"/admin/library/{cast.tracks[0]}/file/removal").status_code == 409
    answer = boss.post(form, next="/admin/library?which=brought")
    assert (answer.status_code, answer.location) == (303, "/admin/library?which=brought")
    assert Track.get_or_none(Track.id == track) is None
    [note] = SiteEvent.select().where(SiteEvent.kind == "file_deleted")
    assert (note.actor_id, note.data) == (cast.dan.user_id, {"track_id": track})
    assert "No track answers" in words(boss.get("/admin/library", which="brought"))
    assert boss.post(form).status_code == 404


def test_jobs_say_whether_the_worker_lives(boss: Browser, time) -> None:
    assert "No worker" in words(boss.get("/admin/jobs"))
    health.worker_lives()
    house_library.report_demo(3, 10)
    shown = words(boss.get("/admin/jobs"))
    assert "The worker is at work" in shown and "3 of 10 done" in shown and "waiting in its queue" in shown


def test_no_button_leads_away(cast: Cast, boss: Browser) -> None:
    for address in (
        "https://evil.example",
        "//evil.example",
        "/rooms/x",
        "/admin/people@evil",
        "javascript:1",
    ):
        answer = boss.post(f"/admin/people/{cast.cleo.user_id}/sessions/removal", next=address)
        assert answer.location.startswith("/admin/people"), address


def test_names_are_only_words(cast: Cast, boss: Browser) -> None:
    bad = '"><img src=x onerror=alert(1)>'
    User.update(display_name=bad[:50], ban_reason=bad, banned_at=1).where(
        User.id == cast.cleo.user_id
    ).execute()
    Room.update(name=bad).execute()
    Track.update(title=bad, artist=bad).execute()
    audit.note(cast.cleo.user_id, "signed_in")
    for path in PAGES[1:]:
        assert not [node for node in tree(boss.get(path)).all() if "onerror" in node.attrs], path


# --- a room's log ----------------------------------------------------------------------------------------------------


def test_the_log_is_a_page_for_leaders(
    cast: Cast, ada: Browser, ben: Browser, cleo: Browser, dan: Browser, nobody: Browser
) -> None:
    cast.add(2)
    path = f"/rooms/{cast.code}/log"
    for browser, status in ((ada, 200), (ben, 200), (cleo, 403), (dan, 403), (nobody, 401)):
        assert browser.get(path).status_code == status
    shown = " ".join(words(ada.get(path)).split())
    assert "Ada put a track on the line: Song 1" in shown and "6 entries, the newest first" in shown


def test_the_logs_filters_are_kept_on_the_way_to_the_next_page(cast: Cast, ada: Browser) -> None:
    item = cast.add(2)[1]
    for number in range(60):
        queue.cast_vote(cast.ben, cast.code, item, -1 if number % 2 else 1)
    path = f"/rooms/{cast.code}/log"
    page = tree(ada.get(path, kind="votes", person=cast.members["ben"]))
    link = next(node.attrs["href"] for node in page.all() if node.attrs.get("rel") == "next")
    assert "kind=votes" in link and f"person={cast.members['ben']}" in link
    chosen = [node.attrs["value"] for node in page.all() if node.tag == "option" and "selected" in node.attrs]
    assert chosen == [str(cast.members["ben"]), "votes"]
    assert sum(node.id.startswith("entry-") for node in tree(ada.get(link)).all()) == 10
    for bad in ({"person": "x"}, {"kind": "nonsense"}, {"before": "0"}):
        assert ada.get(path, **bad).status_code == 422


def test_undoing_brings_back_to_the_log(cast: Cast, ada: Browser, cleo: Browser) -> None:
    item = cast.add(2)[1]
    queue.remove_item(cast.ada, cast.code, item)
    path = f"/rooms/{cast.code}/log"
    page = tree(ada.get(path, kind="line"))
    form = next(node for node in page.all() if (node.attrs.get("action") or "").endswith("/undo"))
    assert cleo.post(form.attrs["action"]).status_code == 403
    answer = ada.post(form.attrs["action"], next=f"{path}?kind=line")
    assert (answer.status_code, answer.location) == (303, f"{path}?kind=line")
    assert item in cast.line()
    assert ada.post(form.attrs["action"], next="https://evil.example").location == path


def test_what_was_said_of_a_ban_is_for_leaders_only(cast: Cast, ada: Browser, cleo: Browser) -> None:
    moderation.ban(cast.ada, cast.code, people.join(cast.dan, cast.code), "a canary reason")
    assert "a canary reason" in words(ada.get(f"/rooms/{cast.code}/log"))
    assert "a canary reason" not in words(cleo.get(f"/rooms/{cast.code}/log"))


def test_times_are_told_as_utc(cast: Cast, ada: Browser) -> None:
    assert "15 Jan 2027, 08:00 UTC" in words(ada.get(f"/rooms/{cast.code}/log"))

"""Playlists by URL: pages, files in and out, links for others, and what a room does with them."""

from __future__ import annotations

import json
import re
from io import BytesIO
from urllib.parse import urlsplit

import m3u8
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from media import lists
from models import Item, Playlist, PlaylistEntry, Room, Track, User
from party import hosting, playback, playing_on, playlists, queue, rooms, shelf
from party.playlists import Line
from tests.doors import Browser, make_app, tree, words
from tests.ledger import every_row
from tests.screen import Node
from tests.stage import Cast


@pytest.fixture(autouse=True)
def accounts(cast: Cast) -> None:
    """Ada and Ben have accounts; Cleo and Dan are guests."""
    for name, person in (("ada", cast.ada), ("ben", cast.ben)):
        User.update(email=f"{name}@example.org").where(User.id == person.user_id).execute()


@pytest.fixture
def made(cast: Cast) -> int:
    """A playlist of Ada's with four tracks."""
    return playlists.keep_lines(cast.ada, "Late", [_line(each) for each in cast.tracks[:4]])


def _line(track_id: int) -> Line:
    return playlists.line_of(Track.get_by_id(track_id))


def titles(made: int) -> list[str]:
    return [entry.title for entry in playlists.entries_of(made)]


def ids(made: int) -> list[int]:
    return [entry.id for entry in playlists.entries_of(made)]


# --- one's own -------------------------------------------------------------------------------------------------------


def test_a_playlist_is_begun_named_and_listed(ada: Browser) -> None:
    answer = ada.post("/playlists", name="  Late   nights ")
    made = Playlist.get()
    assert (answer.status_code, answer.location) == (303, f"/playlists/{made.id}")
    assert made.name == "Late nights"
    ada.post(f"/playlists/{made.id}", name="Nights")
    assert "Nights" in words(ada.get("/playlists"))
    assert "Nothing in it yet." in words(ada.get(f"/playlists/{made.id}"))


def test_guests_and_strangers_are_told_how_to_get_playlists(
    cleo: Browser, nobody: Browser, made: int
) -> None:
    for browser in (cleo, nobody):
        for path in ("/playlists", "/playlists/import"):
            assert "Playlists are kept with an account." in words(browser.get(path))
    before = every_row()
    assert cleo.post("/playlists", name="Mine").status_code == 403
    assert nobody.post("/playlists", name="Mine").status_code == 401
    assert every_row() == before


def test_somebody_elses_playlist_is_not_there(ben: Browser, made: int) -> None:
    before, entry = every_row(), ids(made)[0]
    base = f"/playlists/{made}"
    for path in (base, f"{base}/matches", f"{base}/export.csv"):
        assert ben.get(path).status_code == 404
    of_entry = ("removal", "restoration", "move", "match", "copies")
    posts = ["", "/removal", "/restoration", "/copies", "/entries"]
    posts += [f"/entries/{entry}/{act}" for act in of_entry]
    for post in posts:
        answer = ben.post(base + post, name="x", to="1", track_id="1", after="")
        assert answer.status_code == 404, post
    assert ben.post(f"{base}/sharing", share="on").status_code == 404
    assert every_row() == before


def test_deleting_can_be_undone_from_the_page_that_follows(ada: Browser, made: int) -> None:
    answer = ada.post(f"/playlists/{made}/removal")
    page = ada.get(answer.location)
    assert "Deleted." in words(page) and f"/playlists/{made}/restoration" in page.text
    assert ada.get(f"/playlists/{made}").status_code == 404
    ada.post(f"/playlists/{made}/restoration")
    assert titles(made) == [f"Song {number}" for number in range(4)]


def test_what_was_deleted_lately_is_listed_and_brought_back_from_there(
    ada: Browser, ben: Browser, made: int
) -> None:
    assert "Deleted lately" not in words(ada.get("/playlists"))
    ada.post(f"/playlists/{made}/removal")
    for browser, is_listed in ((ada, True), (ben, False)):
        page = browser.get("/playlists")
        assert ("Deleted lately" in words(page)) is is_listed
        assert (tree(page).find(f"deleted-{made}") is not None) is is_listed
    assert "Deleted lately They are kept for thirty days. Late 4 tracks" in words(ada.get("/playlists"))
    assert "Bring back : Late" in words(ada.get("/playlists"))
    assert tree(ada.get("/playlists")).find(f"playlist-{made}") is None
    answer = ada.post(f"/playlists/{made}/restoration")
    assert (answer.status_code, answer.location) == (303, "/playlists")
    page = ada.get("/playlists")
    assert "Deleted lately" not in words(page) and tree(page).find(f"playlist-{made}") is not None
    assert titles(made) == [f"Song {number}" for number in range(4)]


def test_taking_out_answers_with_the_list_and_the_way_back(app: Flask, cast: Cast, made: int) -> None:
    browser, [first, *_] = Browser(app, cast.ada, htmx=True), ids(made)
    answer = browser.post(f"/playlists/{made}/entries/{first}/removal", page="1")
    assert answer.status_code == 200 and "Removed Song 0." in words(answer)
    assert {root.id for root in tree(answer).children} == {"playlist-sum", "playlist-entries", "notice"}
    assert f'id="entry-{first}"' not in answer.text
    undo = re.search(r'hx-post="([^"]+restoration[^"]*)"', answer.text)
    assert undo
    assert f'id="entry-{first}"' in browser.post(undo[1]).text
    assert titles(made)[0] == "Song 0"


def test_plain_forms_move_and_take_out_too(ada: Browser, made: int) -> None:
    one, two, three, four = ids(made)
    assert ada.post(f"/playlists/{made}/entries/{four}/move", after="", page="1").status_code == 303
    assert ids(made) == [four, one, two, three]
    ada.post(f"/playlists/{made}/entries/{four}/move", after=str(two))
    assert ids(made) == [one, two, four, three]
    answer = ada.post(f"/playlists/{made}/entries/{one}/removal")
    assert "Taken out." in words(ada.get(answer.location))
    ada.post(f"/playlists/{made}/entries/{one}/restoration")
    assert ids(made) == [one, two, four, three]


def test_the_rows_know_their_neighbours_across_pages(ada: Browser, cast: Cast) -> None:
    made = playlists.keep_lines(cast.ada, "Long", [Line(f"Line {number}") for number in range(150)])
    all_ids = ids(made)
    page = ada.get(f"/playlists/{made}?page=2")
    assert f'id="entry-{all_ids[100]}"' in page.text and f'id="entry-{all_ids[99]}"' not in page.text
    up = tree(page).find(f"up-{all_ids[100]}")
    assert up is not None and up.attrs["value"] == str(all_ids[98])
    assert f'data-before="{all_ids[99]}"' in page.text
    assert tree(ada.get(f"/playlists/{made}")).find(f"up-{all_ids[0]}") is None


# --- sharing ---------------------------------------------------------------------------------------------------------


def test_a_shared_playlist_is_seen_by_its_link_alone(
    ada: Browser, nobody: Browser, ben: Browser, made: int
) -> None:
    ada.post(f"/playlists/{made}/sharing", share="on")
    token = Playlist.get_by_id(made).share_token
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    page = nobody.get(f"/playlists/shared/{token}")
    assert page.status_code == 200 and "Song 3" in words(page) and "By Ada" in words(page)
    assert "/playlists/" + str(made) not in page.text
    copied = ben.post(f"/playlists/shared/{token}/copies")
    assert titles(int(copied.location.rpartition("/")[2])) == titles(made)
    ada.post(f"/playlists/{made}/sharing", share="anew")
    assert nobody.get(f"/playlists/shared/{token}").status_code == 404
    ada.post(f"/playlists/{made}/sharing", share="off")
    assert Playlist.get_by_id(made).share_token is None
    for guess in (token, "None", "x", "a" * 400):
        assert nobody.get(f"/playlists/shared/{guess}").status_code == 404


def test_a_guest_cannot_copy_what_they_may_see(ada: Browser, cleo: Browser, made: int) -> None:
    ada.post(f"/playlists/{made}/sharing", share="on")
    token, before = Playlist.get_by_id(made).share_token, every_row()
    assert cleo.post(f"/playlists/shared/{token}/copies").status_code == 403
    assert every_row() == before
    assert ada.post(f"/playlists/{made}/sharing", share="everybody").status_code == 422


# --- files -----------------------------------------------------------------------------------------------------------


def bring(browser: Browser, **form: object) -> int:
    answer = browser.post("/playlists/import", **form)
    assert answer.status_code == 303, words(answer)
    return int(re.match(r"/playlists/(\d+)", answer.location)[1])  # type: ignore[index]


def test_pasted_lines_find_their_tracks_and_the_rest_stays_as_words(ada: Browser) -> None:
    made = bring(ada, name="Pasted", text="artist 1 – SONG 1\nArtist 0 - Song 3 (1:40)\nNobody – Knows this")
    entries = playlists.entries_of(made)
    assert [entry.track and entry.track.title for entry in entries] == ["Song 1", "Song 3", None]
    assert (entries[2].title, entries[2].artist) == ("Knows this", "Nobody")
    page = ada.get(f"/playlists/{made}/matches")
    assert "1 line is words only" in words(page) and "Nobody – Knows this" in words(page)
    searched = ada.get(f"/playlists/{made}/matches", entry=entries[2].id, search="song 7")
    [track] = Track.select().where(Track.title == "Song 7")
    assert f'value="{track.id}"' in searched.text
    ada.post(f"/playlists/{made}/entries/{entries[2].id}/match", track_id=str(track.id))
    assert PlaylistEntry.get_by_id(entries[2].id).track_id == track.id
    assert "Every line has its track." in words(ada.get(f"/playlists/{made}/matches"))
    assert PlaylistEntry.get_by_id(entries[2].id).title == "Knows this", "its own words are kept"


def test_more_is_put_in_by_searching(ada: Browser, made: int) -> None:
    [track] = Track.select().where(Track.title == "Song 7")
    assert "Put it in" in words(ada.get(f"/playlists/{made}/matches", search="song 7"))
    ada.post(f"/playlists/{made}/entries", track_id=str(track.id))
    assert titles(made)[-1] == "Song 7"


def test_a_file_is_read_by_what_it_holds(ada: Browser) -> None:
    text = lists.write(lists.Listing([lists.Row("Song 1", "Artist 1")], "Name in the file"), "xspf")
    made = bring(ada, name="", text="", file=(BytesIO(text.encode("utf-16")), "wrong.csv"))
    assert Playlist.get_by_id(made).name == "Name in the file" and titles(made) == ["Song 1"]
    made = bring(ada, name="", file=(BytesIO(b"Artist 1 - Song 1"), "From a friend.txt"))
    assert Playlist.get_by_id(made).name == "From a friend"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose a file, or paste a list."),
        ({"text": "<!DOCTYPE x><playlist/>"}, "such files are not read here"),
        ({"text": "\n\n"}, "No tracks were found"),
        ({"text": "\n".join(map(str, range(2_001)))}, "more than 2000"),
        ({"file": (b"x" * 2_000_001, "big.txt")}, "Up to 2 MB fit"),
        ({"file": (b"\x89PNG\r\n\x1a\n\0\0\0", "cover.png")}, "no playlist"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    ada: Browser, form: dict[str, object], sentence: str
) -> None:
    before = every_row()
    if "file" in form:
        data, name = form["file"]  # type: ignore[misc]
        form = {"file": (BytesIO(data), name)}
    answer = ada.post("/playlists/import", **form, name="Long drive")
    assert answer.status_code == 422 and sentence in words(answer)
    assert every_row() == before
    assert field(answer, "bring-name").attrs["value"] == "Long drive", "typed again for nothing"
    wrong = "bring-text" if "text" in form else "bring-file"
    assert is_at_fault(answer, wrong)
    assert told(field(answer, "bring-text")).split() == str(form.get("text", "")).split()


def test_a_file_too_long_to_be_read_is_known_before_it_is_sent(ada: Browser) -> None:
    chosen = field(ada.get("/playlists/import"), "bring-file")
    assert chosen.attrs["data-most-bytes"] == str(lists.MOST_BYTES)
    assert chosen.attrs["data-too-much"] == lists.TOO_MUCH


def told(node: Node) -> str:
    """The text of a node."""
    return " ".join(child if isinstance(child, str) else told(child) for child in node.children).strip()


def field(page: TestResponse, of: str) -> Node:
    found = tree(page).find(of)
    assert found is not None, of
    return found


def is_at_fault(page: TestResponse, of: str) -> bool:
    """The field has the focus and is described by what is wrong with it; no other one is."""
    wrong = field(page, of)
    said = told(field(page, f"{of}-error"))
    assert wrong.attrs["aria-describedby"] == f"{of}-error" and page.text.count("autofocus") == 1
    return bool(said) and "autofocus" in wrong.attrs and wrong.attrs["aria-invalid"] == "true"


@pytest.mark.parametrize("typed", ["", "\u200b", "x" * 101])
def test_a_name_that_cannot_be_comes_back_in_its_form(ada: Browser, made: int, typed: str) -> None:
    before = every_row()
    for path, name in (("/playlists", "list-name"), (f"/playlists/{made}", "new-name")):
        answer = ada.post(path, name=typed)
        assert answer.status_code == 422 and "Late" in words(answer)
        assert is_at_fault(answer, name) and field(answer, name).attrs["value"] == typed
    assert every_row() == before


def test_a_name_that_nobody_sees_is_the_only_thing_wrong_with_an_import(ada: Browser) -> None:
    before = every_row()
    answer = ada.post("/playlists/import", name="\u200b", text="Artist 1 – Song 1")
    assert answer.status_code == 422 and is_at_fault(answer, "bring-name")
    assert told(field(answer, "bring-text")) == "Artist 1 – Song 1"
    assert every_row() == before


def test_a_refused_form_of_a_playlist_comes_back_with_the_playlist(
    ada: Browser, made: int, cast: Cast
) -> None:
    full = playlists.keep_lines(
        cast.ada, "Full", [Line(f"Line {at}") for at in range(playlists.ENTRIES_MOST)]
    )
    first, before = ids(full)[0], every_row()
    hidden = str(cast.tracks[0] + 10_000)
    for path, form, status, sentence in (
        (
            f"/playlists/{full}/entries",
            {"track_id": str(cast.tracks[0])},
            429,
            "A playlist holds 2000 tracks",
        ),
        (f"/playlists/{full}/entries/{first}/match", {"track_id": hidden}, 404, "not in the library"),
        (f"/playlists/{made}/copies", {"to": str(full)}, 429, "A playlist holds 2000 tracks"),
    ):
        answer = ada.post(path, **form)
        name = "Late" if str(made) in path.split("/") else "Full"
        assert answer.status_code == status and name in words(answer), path
        assert sentence in told(field(answer, "notice"))
    assert every_row() == before


def test_what_a_guest_may_not_keep_leads_to_an_account(cleo: Browser) -> None:
    before = every_row()
    for path, form in (("/playlists", {"name": "x"}), ("/playlists/import", {"text": "A – B"})):
        answer = cleo.post(path, **form)
        assert answer.status_code == 403 and "Make an account" in words(answer)
    assert every_row() == before


@pytest.mark.parametrize("format", ["m3u8", "xspf", "jspf", "csv"])
def test_a_playlist_goes_out_and_comes_in_again(ada: Browser, made: int, format: str) -> None:
    entry = PlaylistEntry.get_by_id(ids(made)[1])
    entry.track, entry.title, entry.artist = None, "=Только слова", "„Nobody“"
    entry.save()
    answer = ada.get(f"/playlists/{made}/export.{format}")
    assert answer.status_code == 200 and answer.mimetype == lists.FORMATS[format].mime
    again = bring(ada, name="Again", file=(BytesIO(answer.data), f"x.{format}"))
    told = [(each.title, each.artist, each.track_id) for each in playlists.entries_of(again)]
    assert told == [(each.title, each.artist, each.track_id) for each in playlists.entries_of(made)]


FILMS = {"films": ("https://films.example/movie/{id}", "https://films.example/tv/{id}/{season}/{episode}")}
KINDS = {
    "youtube": ("youtube-dQw4w9WgXcQ", "dQw4w9WgXcQ", "youtube"),
    "vimeo": ("vimeo-76979871", "76979871", "vimeo"),
    "vimeo unlisted": ("vimeo-76979871-abc123abc1", "76979871/abc123abc1", "vimeo"),
    "spotify": ("spotify-4uLU6hMCjMI75M1A2tKUQC", "4uLU6hMCjMI75M1A2tKUQC", "spotify"),
    "embed movie": ("embed-films-movie-603", "films:movie:603", "embed"),
    "embed episode": ("embed-films-tv-1399-1-2", "films:tv:1399:1:2", "embed"),
    "archive": ("archive-an-item", "https://archive.org/download/an-item/A%20song.mp3", "file"),
    "archive, looked up just now": ("archive-other-item", "other-item", "file"),
    "jamendo": ("jamendo-1848357", "https://prod-1.storage.example/?trackid=1848357&format=mp32", "file"),
    "jamendo, looked up just now": ("jamendo-1848358", "1848358", "file"),
    "link": ("link-0123456789abcdef", "https://films.example/a%20song.mp3?x=1", "file"),
    "hls": ("hls-0123456789abcdef", "https://films.example/live/master.m3u8", "hls"),
    "upload": ("upload-0123456789abcdef", "", "file"),
    "subsonic": ("subsonic-1-0123456789abcdef", "", "file"),
    "house": ("a-song-of-the-house", "", "file"),
}


@pytest.fixture
def one_of_each(cast: Cast) -> list[int]:
    """A track of every kind; all are called alike, so that only its address says which is meant."""
    made = []
    for name, (slug, reference, player) in KINDS.items():
        provider = name.split()[0].rstrip(",")
        state = "looking_up" if "just now" in name else "ready"
        media = f"{slug}.mp3" if provider in ("upload", "house") else ""
        facts = {"slug": slug, "provider": provider, "reference": reference, "player": player, "state": state}
        words = {"title": "Alike", "artist": "", "search": "alike", "cover_file": "", "media_file": media}
        made.append(Track.create(**facts, **words, added_at=1, is_listed=True).id)
    return made


@pytest.mark.parametrize("format", ["m3u8", "xspf", "jspf", "csv", "json"])
def test_a_track_of_every_kind_is_found_again_by_its_address(
    cast: Cast, one_of_each: list[int], format: str
) -> None:
    app = make_app(embed_providers=FILMS, jamendo_client_id="x", spotify_client_id="x")
    browser = Browser(app, cast.ada)
    made = playlists.keep_lines(cast.ada, "Each", [_line(each) for each in one_of_each])
    sent = browser.get(f"/playlists/{made}/export.{format}").data
    again = bring(browser, name="Again", file=(BytesIO(sent), f"x.{format}"))
    found = [entry.track_id for entry in playlists.entries_of(again)]
    assert dict(zip(KINDS, found, strict=True)) == dict(zip(KINDS, one_of_each, strict=True))


def test_what_is_not_set_up_any_more_goes_out_by_its_name(ada: Browser, cast: Cast, one_of_each) -> None:
    made = playlists.keep_lines(cast.ada, "Each", [_line(each) for each in one_of_each])
    told = json.loads(ada.get(f"/playlists/{made}/export.json").text)["tracks"]
    links = dict(zip(KINDS, (track["url"] for track in told), strict=True))
    assert links["embed movie"] == "films:movie:603"
    assert links["vimeo unlisted"] == "https://vimeo.com/76979871/abc123abc1"
    assert links["archive, looked up just now"] == "https://archive.org/details/other-item"
    assert all(links.values())


def test_an_address_that_is_played_finds_only_what_somebody_may_use(
    ada: Browser, ben: Browser, cast: Cast
) -> None:
    address = "https://archive.org/download/an-item/1.mp3"
    facts = {"slug": "archive-an-item", "provider": "archive", "reference": address, "title": "Secret"}
    words = {"artist": "", "search": "secret", "cover_file": "", "media_file": "", "added_at": 1}
    track = Track.create(**facts, **words)
    shelf.hold(track, None, cast.ben.user_id, 1)
    text = f"title,url\nAnything,{address}"
    theirs, mine = bring(ben, name="x", text=text), bring(ada, name="x", text=text)
    assert [entry.track_id for entry in playlists.entries_of(theirs)] == [track.id]
    assert [entry.track_id for entry in playlists.entries_of(mine)] == [None]


def test_a_file_is_named_for_old_and_new_programs(ada: Browser, cast: Cast) -> None:
    made = playlists.keep_lines(cast.ada, 'Ночь / "eins"', [Line("x")])
    said = ada.get(f"/playlists/{made}/export.csv").headers["Content-Disposition"]
    assert said == (
        'attachment; filename="____ _ _eins_.csv"; '
        "filename*=UTF-8''%D0%9D%D0%BE%D1%87%D1%8C%20_%20%22eins%22.csv"
    )
    assert ada.get(f"/playlists/{made}/export.exe").status_code == 404


def test_addresses_in_files_are_whole_and_lead_to_the_music(ada: Browser, cast: Cast, made: int) -> None:
    text = ada.get(f"/playlists/{made}/export.m3u8").text
    for segment in m3u8.loads(text).segments:
        address = urlsplit(segment.uri)
        assert address.scheme == "http" and address.netloc and address.path.endswith("/file")
        assert ada.get(address.path).status_code != 403
    Track.update(provider="youtube", player="youtube", reference="dQw4w9WgXcQ", media_file="").where(
        Track.id == cast.tracks[0]
    ).execute()
    assert "https://www.youtube.com/watch?v=dQw4w9WgXcQ\n" in ada.get(f"/playlists/{made}/export.m3u8").text


def test_our_own_addresses_find_their_track_only_for_those_who_may_use_it(
    ada: Browser, ben: Browser, cast: Cast, made: int
) -> None:
    text = ada.get(f"/playlists/{made}/export.m3u8").text.replace("Song 0", "Called otherwise")
    Track.update(is_listed=False).where(Track.id == cast.tracks[0]).execute()
    mine, theirs = bring(ada, name="Mine", text=text), bring(ben, name="Theirs", text=text)
    assert playlists.entries_of(mine)[0].track_id == cast.tracks[0]
    assert playlists.entries_of(theirs)[0].track_id is None
    forged = re.sub(r"(/media/\d+/)[^/]+", r"\g<1>" + "A" * 20, text)
    assert playlists.entries_of(bring(ada, name="Forged", text=forged))[0].track_id is None


def test_links_that_a_provider_reads_are_kept_until_they_are_put_on(
    app: Flask, ada: Browser, cast: Cast
) -> None:
    made = bring(ada, name="Links", text="title,url\nOne,https://youtu.be/dQw4w9WgXcQ\nTwo,C:\\two.mp3")
    assert [entry.link for entry in playlists.entries_of(made)] == [
        "https://youtu.be/dQw4w9WgXcQ",
        "C:\\two.mp3",
    ]
    page = ada.get(f"/playlists/{made}")
    linked = ids(made)[0]
    assert "One plays from its link" in words(page) and "Two words only" in words(page)
    assert "1 line plays from its link 1 line is words only" in words(page)
    taken = Browser(app, cast.ada, htmx=True).post(f"/playlists/{made}/entries/{linked}/removal")
    assert "plays from" not in words(taken) and "1 line is words only" in words(taken)
    ada.post(f"/playlists/{made}/entries/{linked}/restoration")
    asked = words(ada.get(f"/playlists/{made}/matches"))
    assert "1 line plays from its link. 1 line is words only. Whatever" in asked
    assert asked.count("It plays from its link once it goes on a line.") == 1, (
        "a file of somebody's disk does not"
    )
    ada.post(f"/rooms/{cast.code}/playlists/{made}")
    assert "plays from its link" not in words(ada.get(f"/playlists/{made}"))
    first, second = playlists.entries_of(made)
    assert first.track.provider == "youtube" and second.track_id is None
    assert Item.get().track_id == first.track_id


# --- in a room -------------------------------------------------------------------------------------------------------


def test_all_of_it_goes_on_the_line_in_order_and_says_what_did_not(app: Flask, cast: Cast) -> None:
    lines = [_line(each) for each in cast.tracks[:6]] + [Line("Only words")]
    made = playlists.keep_lines(cast.ada, "Late", lines)
    cast.add(2, cast.ben)
    Track.update(is_explicit=True).where(Track.id == cast.tracks[3]).execute()
    Room.update(settings={"explicit": False}).execute()
    answer = Browser(app, cast.ada, htmx=True).post(f"/rooms/{cast.code}/playlists/{made}")
    said = "4 went on. 1 is too explicit for this room. 1 was in line already. 1 is words only so far."
    assert answer.status_code == 200 and said in words(answer)
    waiting = [item.track.id for item in cast.seen().items]
    assert waiting == [cast.tracks[1], cast.tracks[0], cast.tracks[2], cast.tracks[4], cast.tracks[5]]


def test_a_plain_form_is_told_the_same_on_the_page_that_follows(app: Flask, cast: Cast, time) -> None:
    made = playlists.keep_lines(cast.ada, "Late", [_line(cast.tracks[0]), Line("Only words")])
    ada, ben = (Browser(app, person) for person in (cast.ada, cast.ben))
    answer = ada.post(f"/rooms/{cast.code}/playlists/{made}")
    page = answer.headers["Location"]
    said = "1 went on. 1 is words only so far."
    assert answer.status_code == 303 and said not in page
    assert said in words(ada.get(page)) and said not in words(ben.get(page))
    assert said not in words(ada.get(f"/rooms/{cast.code}?said=1%201%20went%20on"))
    time.move(61)
    assert said not in words(ada.get(page)), "that is no news any more"


def test_a_playlist_goes_on_the_line_of_a_room_from_its_own_page(ada: Browser, cast: Cast, made: int) -> None:
    page = ada.get(f"/playlists/{made}")
    assert tree(page).find("put-room") is None and "Put all on in Friday" in words(page)
    answer = ada.post(f"/playlists/{made}/line", room=cast.code)
    assert answer.status_code == 303 and answer.location.startswith(f"/rooms/{cast.code}?said=")
    assert "4 went on." in words(ada.get(answer.location)) and len(cast.seen().items) == 3


def test_which_room_it_is_is_asked_where_there_are_several(ada: Browser, cast: Cast, made: int) -> None:
    other = rooms.open_room(cast.ada, "Second", 300)
    over = rooms.open_room(cast.ada, "Over", 300)
    rooms.open_room(cast.ben, "Ben's", 300)
    hosting.end_room(cast.ada, over)
    page = ada.get(f"/playlists/{made}")
    offered = [option.attrs["value"] for option in field(page, "put-room").children]
    assert offered == [other, cast.code], "those one is in and that go on, the newest first"
    assert ada.post(f"/playlists/{made}/line", room=other).location.startswith(f"/rooms/{other}")
    assert len(cast.seen().items) == 0


def test_a_room_where_one_may_put_nothing_on_says_so_beside_the_button(
    ben: Browser, ada: Browser, cast: Cast, made: int
) -> None:
    own = playlists.keep_lines(cast.ben, "Own", [_line(cast.tracks[0])])
    Room.update(settings={"add": "host"}).execute()
    before = every_row()
    answer = ben.post(f"/playlists/{own}/line", room=cast.code)
    assert answer.status_code == 403 and told(field(answer, "put-room-error"))
    assert "autofocus" in field(answer, "put-on").attrs
    assert ada.post(f"/playlists/{made}/line", room="NOSUCH99").status_code == 404
    assert ben.post(f"/playlists/{made}/line", room=cast.code).status_code == 404, "it is Ada's"
    assert every_row() == before


def test_what_a_room_refuses_of_its_box_is_said_in_the_box(ada: Browser, ben: Browser, cast: Cast) -> None:
    [item] = cast.add(1)
    mine = playlists.keep_lines(cast.ben, "Ben's", [_line(cast.tracks[2])])
    Room.update(settings={"add": "host"}).execute()
    base, before = f"/rooms/{cast.code}", every_row()
    for browser, path, form, status, kept in (
        (ada, "/playlists", {"name": "y" * 101}, 422, "y" * 101),
        (ada, "/playlists", {"item": str(item), "name": "x" * 101}, 422, "x" * 101),
        (
            ada,
            "/plays-on",
            {"link": "http://x/playlists/shared/no-such"},
            404,
            "http://x/playlists/shared/no-such",
        ),
        (ben, f"/playlists/{mine}", {}, 403, "Back to the room"),
    ):
        answer = browser.post(base + path, **form)
        assert answer.status_code == status and kept in answer.text and "Back to the room" in words(answer), (
            path
        )
        assert told(field(answer, "notice")) and tree(answer).find("playlist-sheet") is not None
    assert every_row() == before


def test_what_is_empty_is_put_on_nowhere(app: Flask, ada: Browser, cast: Cast, made: int) -> None:
    empty = playlists.create_playlist(cast.ada, "Empty")
    assert tree(ada.get(f"/playlists/{empty}")).find("put-on") is None
    for purpose, offered in (("line", False), ("empty", False), ("track", True)):
        [item] = cast.add(1)
        sheet = tree(ada.get(f"/rooms/{cast.code}/playlists", **{"for": purpose, "item": item}))
        assert sheet.find(f"keep-{made}") is not None
        assert (sheet.find(f"keep-{empty}") is not None) is offered, purpose


def test_a_limit_stops_it_where_it_is_reached(app: Flask, cast: Cast) -> None:
    made = playlists.keep_lines(cast.ben, "Late", [_line(each) for each in cast.tracks[:9]])
    Room.update(settings={"max_waiting": 3}).execute()
    answer = Browser(app, cast.ben, htmx=True).post(f"/rooms/{cast.code}/playlists/{made}")
    # One plays, three wait.
    assert "4 of 9 were put on: Three at a time. Your next spot opens after Song 1." in words(answer)
    assert len(cast.seen().items) == 3


def test_where_the_host_lets_tracks_on_it_is_suggested(app: Flask, cast: Cast) -> None:
    made = playlists.keep_lines(cast.ben, "Late", [_line(each) for each in cast.tracks[:3]])
    Room.update(settings={"add": "approval"}).execute()
    from models import Member

    Member.update(role="guest").where(Member.id == cast.members["ben"]).execute()
    answer = Browser(app, cast.ben, htmx=True).post(f"/rooms/{cast.code}/playlists/{made}")
    assert "3 wait for the host’s word." in words(answer) and len(cast.seen().suggestions) == 3


def test_who_may_put_nothing_on_is_told_so(app: Flask, cast: Cast) -> None:
    made = playlists.keep_lines(cast.ben, "Late", [_line(cast.tracks[0])])
    Room.update(settings={"add": "host"}).execute()
    ben, ada = (Browser(app, person, htmx=True) for person in (cast.ben, cast.ada))
    before = every_row()
    answer = ben.post(f"/rooms/{cast.code}/playlists/{made}")
    assert answer.status_code == 403 and every_row() == before
    answer = ada.post(f"/rooms/{cast.code}/playlists/{made}")
    assert answer.status_code == 404, "it is Ben's"


def test_a_track_of_the_room_is_saved_also_one_that_is_not_listed(
    ada: Browser, dan: Browser, cast: Cast
) -> None:
    Track.update(is_listed=False).where(Track.id == cast.tracks[1]).execute()
    from party import shelf

    shelf.bring(Track.get_by_id(cast.tracks[1]), cast.room().id, cast.cleo.user_id, 1)
    [item] = [queue.add_item(cast.cleo, cast.code, cast.tracks[1])]
    sheet = ada.get(f"/rooms/{cast.code}/playlists", **{"for": "track", "item": item})
    assert "Save this track" in words(sheet) and "Song 1" in words(sheet)
    ada.post(f"/rooms/{cast.code}/playlists", item=str(item), name="New one")
    made = Playlist.get()
    assert (made.name, titles(made.id)) == ("New one", ["Song 1"])
    ada.post(f"/rooms/{cast.code}/playlists", item=str(item), to=str(made.id))
    assert titles(made.id) == ["Song 1", "Song 1"]
    User.update(email="dan@example.org").where(User.id == cast.dan.user_id).execute()
    mine = playlists.create_playlist(cast.dan, "Dan's")
    assert dan.post(f"/playlists/{mine}/entries", track_id=str(cast.tracks[1])).status_code == 404


def test_tonight_is_saved_from_an_open_room_and_from_its_memory(
    ada: Browser, cleo: Browser, cast: Cast
) -> None:
    cast.add(4)
    playback.skip(cast.ada, cast.code)
    answer = ada.post(f"/rooms/{cast.code}/playlists", name="Friday")
    assert answer.status_code == 303
    assert titles(Playlist.get(Playlist.name == "Friday").id) == [f"Song {number}" for number in range(4)]
    before = every_row()
    assert cleo.post(f"/rooms/{cast.code}/playlists", name="Friday").status_code == 403
    assert every_row() == before
    playback.skip(cast.ada, cast.code)
    Room.update(state="EXPIRED", expired_at=1).execute()
    assert ada.post(f"/rooms/{cast.code}/playlists", name="Memory").location == "/playlists"
    assert titles(Playlist.get(Playlist.name == "Memory").id)[:2] == ["Song 0", "Song 1"]


@pytest.mark.parametrize("purpose", ["track", "tonight", "line", "empty"])
def test_the_box_of_a_room_is_a_piece_and_a_page(app: Flask, cast: Cast, made: int, purpose: str) -> None:
    [item] = cast.add(1)
    path = f"/rooms/{cast.code}/playlists?for={purpose}&item={item}"
    piece = Browser(app, cast.ada, htmx=True).get(path)
    assert [root.id for root in tree(piece).children] == ["playlist-sheet"]
    assert ("Late" in words(piece)) is (purpose != "tonight")
    assert "Back to the room" in words(Browser(app, cast.ada).get(path))
    assert "kept with an account" in words(Browser(app, cast.cleo).get(path))
    assert Browser(app, cast.dan).get(path).status_code == 403


def test_what_plays_on_is_chosen_from_the_settings(ada: Browser, ben: Browser, cast: Cast, made: int) -> None:
    base = f"/rooms/{cast.code}/plays-on"
    assert ada.post(base, when_empty="playlist").status_code == 422
    assert ada.post(base, playlist_id=str(made)).status_code == 303
    assert cast.seen().settings.empty_playlist == made and len(cast.seen().items) >= 2
    theirs = playlists.keep_lines(cast.ben, "Ben's", [_line(each) for each in cast.tracks[5:9]])
    token = playlists.share_playlist(cast.ben, theirs)
    assert ada.post(base, playlist_id=str(theirs)).status_code == 404
    assert ada.post(base, link=f"http://localhost/playlists/shared/{token}?x=1").status_code == 303
    assert cast.seen().settings.empty_playlist == theirs
    assert ben.post(base, when_empty="nothing").status_code == 403
    page = words(ada.get(f"/rooms/{cast.code}"))
    assert (
        "Plays on" in page and "added by" not in page.partition("End of the line")[0].partition("The line")[2]
    )
    assert ada.post(base, when_empty="nothing").status_code == 303
    assert cast.seen().items == ()


def test_links_play_on_and_a_list_of_which_nothing_can_says_so(ada: Browser, cast: Cast) -> None:
    tube = playlists.keep_lines(
        cast.ada, "Tube", [Line("A video", link=f"https://youtu.be/{'abcdefghij'}{n}") for n in range(5)]
    )
    base = f"/rooms/{cast.code}/plays-on"
    for lines in ([Line("Words")], [Line("An old page", link="gopher://example.org/")]):
        silent = playlists.keep_lines(cast.ada, "Silent", lines)
        before = every_row()
        answer = ada.post(base, playlist_id=str(silent))
        assert answer.status_code == 422 and "can play on by itself" in words(answer)
        assert every_row() == before
    playlists.append(Playlist.get_by_id(tube), [Line("Words")])
    assert "said=" in ada.post(base, playlist_id=str(tube)).location
    assert cast.seen().settings.empty_playlist == tube
    assert len(playing_on.next_links(cast.code)) == 5


@pytest.mark.parametrize("what", ["line", "tonight"])
def test_the_line_and_tonight_go_out_as_files(ada: Browser, nobody: Browser, cast: Cast, what: str) -> None:
    items = cast.add(4)
    queue.cast_vote(cast.ben, cast.code, items[2], 1)
    playback.skip(cast.ada, cast.code)
    playback.skip(cast.ada, cast.code)
    told = json.loads(ada.get(f"/rooms/{cast.code}/export/{what}.json").text)
    expected = {"line": ["Song 3"], "tonight": ["Song 0", "Song 2", "Song 1"]}[what]
    assert [track["title"] for track in told["tracks"]] == expected
    if what == "tonight":
        assert [track["votes"] for track in told["tracks"]] == [0, 1, 0]
        assert told["tracks"][0]["added_by"] == "Ada" and told["tracks"][0]["added_at"].endswith("Z")
    for format in lists.FORMATS:
        answer = ada.get(f"/rooms/{cast.code}/export/{what}.{format}")
        assert answer.status_code == 200 and answer.mimetype == lists.FORMATS[format].mime
        assert answer.headers["Cache-Control"] == "no-store"
    assert ada.get(f"/rooms/{cast.code}/export/people.csv").status_code == 404
    Room.update(visibility="private").execute()
    assert nobody.get(f"/rooms/{cast.code}/export/{what}.csv").status_code == 404


@pytest.mark.parametrize(
    ("theirs", "own", "sentence"),
    [
        (2, 0, "2 tracks by 1 person, hosted by Ada"),
        (2, 3, "5 tracks: 2 by 1 person, 3 the room played on by itself, hosted by Ada"),
        (0, 3, "3 tracks the room played on by itself, hosted by Ada"),
    ],
)
def test_a_memory_counts_nobody_for_what_the_room_played(
    ada: Browser, cast: Cast, made: int, theirs: int, own: int, sentence: str
) -> None:
    cast.add(theirs, cast.cleo)
    if own:
        ada.post(f"/rooms/{cast.code}/plays-on", playlist_id=str(made))
        if not theirs:
            queue.add_item(cast.ada, cast.code, cast.tracks[9])
    for _ in range(theirs + own - 1):
        playback.skip(cast.ada, cast.code)
    if not theirs:
        Item.update(is_filler=True).execute()
    page = ada.get(f"/rooms/{cast.code}")
    assert page.text.count("Played on by itself") == max(0, own - 1), "the last one still plays"
    hosting.end_room(cast.ada, cast.code)
    page = ada.get(f"/rooms/{cast.code}")
    assert sentence in words(page) and page.text.count("Played on by itself") == own


def test_names_and_titles_are_text_wherever_they_stand(ada: Browser, nobody: Browser, cast: Cast) -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    made = playlists.keep_lines(cast.ada, hostile, [Line(hostile, hostile, link="javascript:alert(1)")])
    token = playlists.share_playlist(cast.ada, made)
    pages = [ada.get(path) for path in ("/playlists", f"/playlists/{made}", f"/playlists/{made}/matches")]
    for page in [*pages, nobody.get(f"/playlists/shared/{token}")]:
        assert (
            hostile in words(page) and "<img src=x" not in page.text and 'href="javascript' not in page.text
        )

"""A trap in every page, pages as trees, and a house's database for hostile texts in a browser."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.browser.patience import PATIENCE_SECONDS
from tests.browser.story import Party, Seat
from tests.live.servers import COOKIE, Guest, House
from tests.web.hostile_fields import KEPT

TITLES = [text for text in KEPT["title"] if text]

# Whatever runs that nobody of ours wrote ends up in `trap`: by calling what attacks call, by being stopped by the
# policy, or by being there at all: elements and attributes that no page of ours has.
TRAP = """(() => {
  const trap = { ran: [], stopped: [], foreign: [], heard: new Set() };
  Object.defineProperty(window, 'trap', { value: trap });
  for (const name of ['alert', 'confirm', 'prompt', 'print', 'open', 'msgbox']) {
    window[name] = (...values) => { trap.ran.push(`${name}(${values})`); };
  }
  addEventListener('securitypolicyviolation', ({ violatedDirective, sample, blockedURI }) => {
    trap.stopped.push(`${violatedDirective} ${blockedURI} ${sample}`);
  });
  const NEVER = 'iframe, object, embed, base, frame, marquee, math, foreignObject, animate, plaintext, xmp, '
    + 'hx-partial, audio, style, script:not([src^="/static/"]), meta[http-equiv], a[href^="javascript:" i], '
    + 'link:not([href^="/static/"], [href="/manifest.webmanifest"])';
  const NAMED = /^on|^hx-on|^data-hx|:href$/;
  const isForeign = (el) => el.matches(NEVER) || [...el.attributes].some(({ name }) => NAMED.test(name));
  const look = (el) => {
    if (el.nodeType !== 1) return;
    if (/^(message|queue-item)-\\d+$/.test(el.id)) trap.heard.add(el.id);
    for (const each of [el, ...el.querySelectorAll('*')]) {
      if (isForeign(each)) trap.foreign.push(each.outerHTML.slice(0, 120));
    }
  };
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === 'attributes') look(target); else addedNodes.forEach(look);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
})()"""

# The tree: tags, attributes' names, and the values of those that no person's words may be in. A link that a message
# makes of itself follows from its words.
OUTLINE = """(selectors, page = document) => {
  const FIXED = new RegExp('^(id|name|type|action|method|href|src|form|for|rel|role|hx-.*|formaction|popovertarget'
    + '|tabindex|data-(by|open|menu|from))$');
  const SKIPPED = /^(style|data-after|data-htmx-powered|data-state|data-connection|aria-busy)$/;
  const isLink = (el) => el.matches('.msg__text > a[rel="nofollow noopener noreferrer"]')
    && el.getAttribute('href') === el.textContent && /^https?:/i.test(el.textContent);
  const tell = (el) => {
    const attrs = [...el.attributes].filter(({ name }) => !SKIPPED.test(name))
      .map(({ name, value }) => (FIXED.test(name) ? `${name}=${value}` : name)).sort();
    const kids = [...(el.localName === 'template' ? el.content : el).children].filter((kid) => !isLink(kid)).map(tell);
    if (el.localName === 'select') kids.sort();
    return `<${el.localName} ${attrs.join(' ')}>${kids.join('')}</>`;
  };
  return Object.fromEntries(selectors.map((selector) => [selector, [...page.querySelectorAll(selector)].map(tell)]));
}"""

PARSED = """({ plain, found }) => {
  const outline = OUTLINE;
  const read = (html) => {
    const page = new DOMParser().parseFromString(html, 'text/html');
    return JSON.stringify(outline(['html'], page));
  };
  window.plain ??= Object.fromEntries(Object.entries(plain).map(([name, html]) => [name, read(html)]));
  const wrong = Object.keys(found).filter((name) => read(found[name]) !== window.plain[name]);
  // Pieces go into a page as they are; this one has no policy that would stop what is in them.
  document.body.innerHTML = Object.values(found).filter((html) => !html.includes('<html')).join('');
  return wrong;
}""".replace("OUTLINE", OUTLINE)


UNGUARDED = """(texts) => {
  for (const text of texts) document.body.appendChild(document.createElement('div')).innerHTML = text;
}"""


class Hostile:
    """The house's database beside its processes: people, tracks and what was kept of each payload."""

    def __init__(self, house: House) -> None:
        self.house = house

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.house.database, timeout=PATIENCE_SECONDS)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def crew(self, names: list[str]) -> list[Guest]:
        """People with these names and a session each."""
        now, made = int(time.time() * 1000), []
        with self.database() as connection:
            for name in names:
                row = connection.execute(
                    "INSERT INTO person (display_name, created_at, is_admin, ban_reason) VALUES (?, ?, 0, '')",
                    (name, now),
                )
                guest = object.__new__(Guest)
                guest.house, guest.port, guest.name = self.house, self.house.port, name
                token = f"token-of-{row.lastrowid}"
                guest.cookie = f"{COOKIE}={token}"
                connection.execute(
                    "INSERT INTO session (token_hash, user_id, created_at, last_seen_at, expires_at, device)"
                    " VALUES (?, ?, ?, ?, ?, 'Firefox')",
                    (hashlib.sha256(token.encode()).hexdigest(), row.lastrowid, now, now, now + 86_400_000),
                )
                made.append(guest)
        return made

    def tracks(self) -> list[int]:
        """A track with each title, by an artist of the same name."""
        ids = self.house.tracks(len(TITLES))
        with self.database() as connection:
            for track, text in zip(ids, TITLES, strict=True):
                connection.execute(
                    "UPDATE track SET title = ?, artist = ?, album = ? WHERE id = ?",
                    (text, text, text, track),
                )
        return ids

    def bring(self, user: int) -> str:
        """What somebody keeps: a list with its lines, and servers. The token of the list's link."""
        with self.database() as connection:
            made = connection.execute(
                "INSERT INTO playlist (user_id, name, share_token, created_at, changed_at)"
                " VALUES (?, ?, 'shared', 1, 1)",
                (user, TITLES[0][:100]),
            ).lastrowid
            connection.executemany(
                "INSERT INTO playlist_entry (playlist_id, title, artist, album, duration_ms, link, position, added_at)"
                " VALUES (?, ?, ?, '', 0, '', ?, 1)",
                [(made, text, text, f"a{number:03d}") for number, text in enumerate(TITLES)],
            )
            connection.executemany(
                "INSERT INTO source (user_id, kind, name, address, username, secret, options, state, failure,"
                " created_at) VALUES (?, 'subsonic', ?, '', '', '', '{}', 'failed', ?, 1)",
                [(user, text[:100], text) for text in TITLES[::12]],
            )
        return "shared"

    def make_harmless(self) -> None:
        """Every text is a plain word instead; an epoch of its own tells every cache that nothing is as it was."""
        with self.database() as connection:
            for table, columns in (
                ("person", ("display_name", "ban_reason")), ("room", ("name",)), ("message", ("text",)),
                ("ban", ("reason",)), ("track", ("title", "artist", "album", "failure")), ("suggestion", ("reason",)),
                ("playlist", ("name",)), ("playlist_entry", ("title", "artist")), ("source", ("name", "failure")),
            ):  # fmt: skip
                for column in columns:
                    connection.execute(f"UPDATE {table} SET {column} = 'Plain ' || id WHERE {column} != ''")
            connection.execute("UPDATE room SET epoch = substr('f' || epoch, 1, 16)")


def guard(party: Party, seat: Seat) -> list[str]:
    """Addresses elsewhere that a page asks for."""
    elsewhere: list[str] = []
    here = urlsplit(party.url).netloc
    seat.page.on("request", lambda asked: urlsplit(asked.url).netloc == here or elsewhere.append(asked.url))
    seat.page.on("dialog", lambda dialog: (elsewhere.append(f"dialog {dialog.message}"), dialog.dismiss()))
    return elsewhere


def caught(page: Page) -> dict[str, list[str]]:
    """What ran, what the policy stopped, and what no page of ours has."""
    return {
        kind: found for kind, found in page.evaluate("() => window.trap").items() if found and kind != "heard"
    }


def outline(page: Page, selectors: list[str]) -> dict[str, list[str]]:
    return page.evaluate(OUTLINE, selectors)


def same(what: str, found: list[str], wanted: list[str]) -> None:
    """Two trees are one, or where they part first."""
    assert len(found) == len(wanted), what
    for one, other in zip(found, wanted, strict=True):
        at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
        assert one == other, (
            f"{what}: {one[max(0, at - 150) : at + 150]} became {other[max(0, at - 150) : at + 150]}"
        )

"""A screen without a browser: reads a page, applies frames by the page's own rules, says how each piece stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

PIECES = (
    "status", "title", "banner", "now-playing", "playback", "skip", "queue", "queue-sum", "requests", "people",
    "chat", "history", "settings", "share", "mini",
)  # fmt: skip
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
ROW = "queue-item-"
SAID = "message-"
# How a piece travels, not what it is.
TRAVELLING = {"hx-swap-oob", "data-after"}


@dataclass
class Node:
    """An element, its attributes and what is in it."""

    tag: str
    attrs: dict[str, str | None] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.attrs.get("id") or ""

    def all(self) -> Iterator[Node]:
        """The element and every one below it."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.all()

    def find(self, wanted: str) -> Node | None:
        """The element of that id, here or below."""
        return next((node for node in self.all() if node.id == wanted), None)

    def rows(self) -> list[Node]:
        """The rows of the line among the children."""
        return [child for child in self.children if isinstance(child, Node) and child.id.startswith(ROW)]

    def become(self, other: Node) -> None:
        """Be as the other is, and stay where it stands."""
        self.tag, self.attrs, self.children = other.tag, other.attrs, other.children

    def __str__(self) -> str:
        """The element as text in which only differences a person could notice differ."""
        kept = sorted((name, value) for name, value in self.attrs.items() if name not in TRAVELLING)
        words = "".join(f" {name}={value!r}" for name, value in kept)
        inner = "".join(child.strip() if isinstance(child, str) else str(child) for child in self.children)
        return f"<{self.tag}{words}>{inner}</{self.tag}>\n"


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Node("#top")
        self.open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        if len(node.attrs) != len(attrs):
            raise AssertionError(f"<{tag}> has an attribute twice: {attrs}")
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag != tag:
            raise AssertionError(f"</{tag}> closes <{self.open[-1].tag}>")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text:
            self.open[-1].children.append(text)


def parse(html: str) -> Node:
    """The HTML as a tree. Every element must be closed by its own end tag."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    if len(builder.open) != 1:
        raise AssertionError(f"<{builder.open[-1].tag}> is never closed")
    return builder.top


def roots(html: str) -> list[Node]:
    """The elements at the top."""
    return [child for child in parse(html).children if isinstance(child, Node)]


class Screen:
    """One person's open page."""

    def __init__(self, page: str) -> None:
        top = parse(page)
        self.pieces = {name: found for name in (*PIECES, "mine") if (found := top.find(name))}
        header = top.find("frame")
        assert header is not None, "the page carries no number"
        self.epoch = header.attrs["data-epoch"]
        self.applied = int(header.attrs["data-to"] or 0)

    def apply(self, html: str) -> str:
        """Take a frame or an answer: `applied`, `old` (dropped), or `gap` (what lies between must be asked for)."""
        parts = roots(html)
        header = next((part for part in parts if part.id == "frame"), None)
        ruling = "applied"
        if header is not None:
            ruling = self._judge(header, html, parts)
        swapped = [part for part in parts if ruling == "applied" or part.id == "mine"]
        self._swap([part for part in swapped if part.id not in ("frame", "notice", "steps")])
        return ruling

    def _judge(self, header: Node, html: str, parts: list[Node]) -> str:
        start, to = int(header.attrs["data-from"] or 0), int(header.attrs["data-to"] or 0)
        if header.attrs["data-epoch"] != self.epoch:
            if start != 0:
                return "gap"
        elif to <= self.applied:
            return "old"
        # Rows differ from how they stood at `from`: one that changed and changed back is not among them.
        elif start > self.applied or (start < self.applied and self._has_rows_alone(html, parts)):
            return "gap"
        self.epoch, self.applied = header.attrs["data-epoch"], to
        return "applied"

    @staticmethod
    def _has_rows_alone(html: str, parts: list[Node]) -> bool:
        return f'id="{ROW}' in html and not any(part.id == "queue" for part in parts)

    def _swap(self, parts: list[Node]) -> None:
        places: dict[str, str] = {}
        for part in parts:
            how = part.attrs.get("hx-swap-oob")
            if how == "beforeend:#chat-list":
                self._hear(part)
            elif part.id.startswith(SAID):
                assert how == "outerMorph", f"{part.id} does not say how it goes home"
                # What was said before the oldest line on the screen has nowhere to go.
                if (known := self.pieces["chat"].find(part.id)) is not None:
                    known.become(part)
            elif how == "beforeend:#queue":
                for row in part.rows():
                    self._take_row(row, places, is_new=True)
            elif part.id.startswith(ROW):
                assert how in ("delete", "outerMorph"), f"{part.id} does not say how it goes home"
                if how == "delete":
                    self._drop_row(part.id)
                else:
                    self._take_row(part, places, is_new=False)
            else:
                assert how == "outerMorph", f"{part.id} does not say how it goes home"
                assert part.id in self.pieces, f"a frame brings #{part.id}, which no page has"
                self.pieces[part.id].become(part)
                # A piece may hold another one: from now on that is the one on the page.
                self.pieces |= {
                    node.id: node
                    for child in part.children
                    if isinstance(child, Node)
                    for node in child.all()
                    if node.id in self.pieces
                }
        if places:
            self._stand(places)

    def _hear(self, part: Node) -> None:
        """New lines of the talk; one that is there already shows once."""
        talk = self.pieces["chat"].find("chat-list")
        assert talk is not None
        for line in part.children:
            assert isinstance(line, Node) and line.id
            known = talk.find(line.id)
            if known is not None:
                known.become(line)
            else:
                talk.children.append(line)

    def _take_row(self, row: Node, places: dict[str, str], *, is_new: bool) -> None:
        after = row.attrs.pop("data-after", None)
        if after is not None:
            places[row.id] = f"{ROW}{after}" if after else ""
        known = self.pieces["queue"].find(row.id)
        if known is not None:
            known.become(row)
        else:
            assert is_new, f"{row.id} changed, but the screen does not have it"
            self.pieces["queue"].children.append(row)

    def _drop_row(self, wanted: str) -> None:
        queue = self.pieces["queue"]
        queue.children = [
            child for child in queue.children if not isinstance(child, Node) or child.id != wanted
        ]

    def _stand(self, places: dict[str, str]) -> None:
        """Rows that did not change keep their order, each other one follows the row it names."""
        queue = self.pieces["queue"]
        rows = {row.id: row for row in queue.rows()}
        order = [row_id for row_id in rows if row_id not in places]
        for row_id, after in places.items():
            order.insert(order.index(after) + 1 if after else 0, row_id)
        queue.children = [rows[row_id] for row_id in order]

    def shows(self, piece: str) -> str:
        """A piece as text, for comparing."""
        return str(self.pieces[piece])

    def differences(self, other: Screen) -> dict[str, tuple[str, str]]:
        """The pieces in which two screens differ."""
        return {
            name: (self.shows(name), other.shows(name))
            for name in PIECES
            if self.shows(name) != other.shows(name)
        }

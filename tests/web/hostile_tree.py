"""How a tree is told, so that the one of a hostile page can be compared with the one of a harmless page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from party.chat_log import EXCERPT
from tests.screen import Node

LINK = {"href", "rel", "target"}
Told = tuple[Any, ...]


def tell(node: Node, said: Callable[[str], str], parents: tuple[str, ...] = ()) -> Told:
    """The element and what is in it, each text as `said` turns it, white space left out.

    Three things follow from a text and are no part of the tree: the letters in somebody's face, where an answer's
    excerpt ends, and which words of a message are a link to themselves.
    """
    kind = node.attrs.get("class") or ""
    parents = (*parents, *kind.split())
    attrs = tuple((name, _value(name, value, said)) for name, value in node.attrs.items())
    children: list[Any] = []
    if "msg__text" in parents:
        parts = list(_unlinked(node))
        words = said("".join(part for part in parts if isinstance(part, str)))
        children = [
            _squeezed(words),
            *(tell(part, said, parents) for part in parts if isinstance(part, Node)),
        ]
    else:
        for child in node.children:
            if isinstance(child, Node):
                children.append(tell(child, said, parents))
            elif "face" not in parents:
                text = said(child)
                children.append(_squeezed(_excerpt(text) if "msg__reply" in parents else text))
    if node.tag == "select":
        # Offered in the order of their words, which are other words now.
        children.sort(key=str)
    return (node.tag, attrs, tuple(children))


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXCERPT else flat.removesuffix("…")[:EXCERPT] + "…"


def _unlinked(node: Node) -> Iterator[Node | str]:
    for child in node.children:
        if isinstance(child, Node) and child.tag == "a" and set(child.attrs) == LINK:
            href = child.attrs["href"] or ""
            is_itself = child.children == [href] and re.match("https?://", href, re.IGNORECASE)
            if is_itself and child.attrs["rel"] == "nofollow noopener noreferrer":
                yield href
                continue
        yield child


def _value(name: str, value: str | None, said: Callable[[str], str]) -> object:
    if name == "data-answers" and value:
        return json.dumps(tell_json(json.loads(value), said))
    return _squeezed(said(value or ""))


def _squeezed(text: str) -> str:
    return "".join(text.split())


def tell_json(value: Any, said: Callable[[str], str]) -> Any:
    """The same for what programs read."""
    if isinstance(value, dict):
        return {key: tell_json(each, said) for key, each in value.items()}
    if isinstance(value, list):
        return [tell_json(each, said) for each in value]
    return _squeezed(said(value)) if isinstance(value, str) else value


def difference(wanted: Any, found: Any, path: str = "") -> str:
    """Where two trees part first."""
    if isinstance(wanted, tuple) and isinstance(found, tuple) and len(wanted) == len(found):
        here = f"{path}/{wanted[0]}" if wanted and isinstance(wanted[0], str) else path
        pairs = zip(wanted, found, strict=True)
        return next((difference(one, other, here) for one, other in pairs if one != other), "")
    return f"{path}: {str(wanted)[:300]!r} became {str(found)[:300]!r}"

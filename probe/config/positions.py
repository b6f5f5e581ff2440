"""Where a mistake stands: tomllib gives no positions, so tree-sitter gives them, once there is something to complain of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from probe.config.problems import Found, KeyPath, Problem
from probe.config.wording import readable

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_PARTS = 8
"""Parts of a path that are told apart; an estate needs four, as in `mailbox[0].allow[0]`, and what lies deeper is found by what it lies in."""

_HOLD_OTHERS = frozenset({"pair", "inline_table", "array"})


def positions(text: str) -> list[tuple[KeyPath, int]]:
    """Every key, table and array element with its line, in the order of lines; a key that is given twice comes twice."""
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    found: list[tuple[KeyPath, int]] = []
    counts: dict[KeyPath, int] = {}
    waiting: list[tuple[Node, KeyPath]] = []  # no recursion: a hostile file may be nested deeply
    for top in Parser(Language(tree_sitter_toml.language())).parse(text.encode(errors="replace")).root_node.named_children:
        prefix: KeyPath = ()
        if top.type in ("table", "table_array_element"):
            prefix = _named(top.named_children[0], prefix, counts, found)
        if top.type == "table_array_element":
            counts[prefix] = counts.get(prefix, 0) + 1
            prefix = (*prefix, counts[prefix] - 1)
            found.append((prefix, top.start_point.row + 1))
        waiting += [(pair, prefix) for pair in (top, *top.named_children) if pair.type == "pair"]
        while waiting:
            node, path = waiting.pop()
            if node.type not in _HOLD_OTHERS or len(path) >= MOST_PARTS:
                continue
            inner = [child for child in node.named_children if child.type != "comment"]
            if node.type == "pair":
                waiting += [(value, _named(inner[0], path, counts, found)) for value in inner[1:2]]
            elif node.type == "inline_table":
                waiting += [(pair, path) for pair in inner if pair.type == "pair"]
            else:
                found += [((*path, i), item.start_point.row + 1) for i, item in enumerate(inner)]
                waiting += [(item, (*path, i)) for i, item in enumerate(inner)]
    return sorted(found, key=lambda key: key[1])


def _named(key: Node, prefix: KeyPath, counts: dict[KeyPath, int], found: list[tuple[KeyPath, int]]) -> KeyPath:
    """The path that a key or heading names below a prefix; each part of it is noted as found."""
    parts, waiting = [], [key]
    while waiting:
        node = waiting.pop()
        if node.type == "dotted_key":
            waiting += node.named_children
        else:
            parts.append((node.text or b"").decode().strip("\"'"))
    path = prefix
    for part in reversed(parts[-MOST_PARTS:]):
        if path in counts:
            path = (*path, counts[path] - 1)  # below [[profile]], [profile.x] belongs to the last profile
        path = (*path, part)
        found.append((path, key.start_point.row + 1))
    return path


def located(found: Iterable[Found], data: dict[str, Any], text: str, filename: str) -> Iterator[Problem]:
    """The mistakes with their lines: of the key itself, or of the nearest above it that is there."""
    lines: dict[KeyPath, int] = {(): 1}
    for path, line in positions(text):
        lines.setdefault(path, line)
    for mistake in found:
        known = mistake.path
        while known not in lines:
            known = known[:-1]
        message = mistake.message
        if mistake.first:
            message += f" (first on line {lines.get(mistake.first, lines[()])})"
        yield Problem(filename, lines[known], shown_key(mistake.path), owner_of(mistake.path, data), message)


def shown_key(path: KeyPath) -> str:
    """As in `profile[0].incoming`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part)
            shown += ("." if shown else "") + (part if plain else json.dumps(part[:64]))
    return shown


def owner_of(path: KeyPath, data: dict[str, Any]) -> str:
    """The table that a key stands in by its name, as in `profile "corp"`; empty where it has none."""
    if len(path) < 2 or path[0] not in ("profile", "mailbox"):
        return ""
    table: Any = data[path[0]][path[1]]
    name = table.get("name" if path[0] == "profile" else "address") if isinstance(table, dict) else None
    return f"{path[0]} {json.dumps(name[:80], ensure_ascii=False)}" if isinstance(name, str) and readable(name) else ""

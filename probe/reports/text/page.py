"""The page that the report is written on. All output goes through it.

Control characters are written out as escapes before a line is wrapped or coloured, so that no peer can steer the
reader's terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from probe.document import ReportOptions
from probe.document.telling.blocks import Block
from probe.model.characters import visible
from probe.model.rules import Readiness, Support

# Select Graphic Rendition codes (ECMA-48 section 8.3.117).
GOOD, BAD, DOUBTFUL, STRONG, FAINT = "32", "31", "33", "1", "2"
_MIN_WIDTH = 60  # the room beside the widest label column
_LEAST_REST = 9  # columns for the last cell of a line of the table


class Page:
    """Lines of bounded width. All output goes through it, so nothing is left unescaped."""

    def __init__(self, options: ReportOptions) -> None:
        self.width = max(options.width, _MIN_WIDTH)
        self._colour = options.colour
        self._lines: list[str] = []

    def say(self, text: str, *, indent: int = 0, label: str = "", column: int = 0, style: str = "", cut: bool = False) -> None:
        """One wrapped paragraph, with `label` before it in a column of its own. `cut` breaks words that are too long for a line."""
        room = self.width - indent - column
        lines = textwrap.wrap(_on_one_line(text), room, break_long_words=cut, break_on_hyphens=False) or [""]
        self._put(lines, indent, label, column, style)

    def quote(self, text: str, *, indent: int = 0, label: str = "", column: int = 0, most: int | None = None) -> None:
        """A transcript line as it is, broken at the line's end and not between words; `most` bounds the lines."""
        shown = _on_one_line(text)
        room = self.width - indent - column
        if most is not None and len(shown) > most * room:
            shown = shown[: most * room - 3] + "..."
        self._put([shown[at : at + room] for at in range(0, len(shown), room)] or [""], indent, label, column, "")

    def columns(self, *cells: tuple[str, int], rest: Sequence[str], style: str = "") -> None:
        """One line of a table: cells of fixed width, the second one styled, then the first of `texts` that fits; the last one is cut."""
        shown = [_cut(_on_one_line(text), width).ljust(width) for text, width in cells]
        room = max(self.width - sum(len(cell) + 2 for cell in shown), _LEAST_REST)
        texts = [_on_one_line(text) for text in rest]
        last = next((text for text in texts if len(text) <= room), _cut(texts[-1], room))
        painted = [self._paint(cell, style) if place == 1 else cell for place, cell in enumerate(shown)]
        self._lines.append("  ".join([*painted, last]).rstrip())

    def fits(self, text: str, *, indent: int = 0, column: int = 0) -> bool:
        """Whether a text fits one line."""
        return len(_on_one_line(text)) <= self.width - indent - column

    def paste(self, command: str, *, indent: int) -> None:
        """A command on a line of its own, however long, so that it can be pasted."""
        self._lines.append(" " * indent + self._paint(_on_one_line(command), STRONG))

    def heading(self, text: str) -> None:
        """A heading between empty lines."""
        self.blank()
        self.say(text.upper(), style=STRONG)
        self._lines.append("=" * self.width)

    def blank(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _put(self, lines: Sequence[str], indent: int, label: str, column: int, style: str) -> None:
        margin = " " * indent
        for number, line in enumerate(lines):
            before = _on_one_line(label).ljust(column) if number == 0 else " " * column
            painted = self._paint(before, FAINT) if label and number == 0 else before
            self._lines.append((margin + painted + self._paint(line, style)).rstrip())

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and style and text.strip() else text


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 3, 0)]}..."


def _on_one_line(text: str) -> str:
    """The text with escapes for control characters; a tab, whose width is not known, is escaped too."""
    return visible(text, keep="")


def colour_of(block: Block) -> str:
    """The style of a block's verdict; empty for one that is neither good nor bad."""
    if block.readiness is Readiness.NOT_READY or block.support in (Support.UNSUPPORTED, Support.NOT_LISTED):
        return BAD
    if block.readiness is Readiness.UNDETERMINED or block.support is Support.UNDETERMINED:
        return DOUBTFUL
    return GOOD if block.is_good else ""

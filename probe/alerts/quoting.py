"""How texts are quoted, so that none of them is more than text where it arrives.

Two things are done, by whose text it is and by what the target makes of texts. The words of a peer become inert: one line, every control
character and mark of direction shown as an escape, and no address left that a mail program or a chat turns into a link. Of everything that
goes to a chat, the characters of markup and mentions are replaced by their wide forms (`*` by `＊`): Slack, Teams, Discord and the others each
have a dialect of Markdown, with escapes that differ by client and version, and none of them reads the wide forms.
"""

from __future__ import annotations

import re
from enum import StrEnum

from probe.model.characters import visible

MOST_WORDS = 300
"""Characters of a peer's words in one message."""

MOST_KEPT = 4 * MOST_WORDS
"""Characters of a peer's words that are looked at, or kept: what is beyond shows nowhere."""

_SPACE = re.compile(r"\s+")
_LINKING = re.compile(
    r"""
    (?P<colon>:)(?=[/\\]{2}|\S+@)         # https://, and mailto:name@host
  | (?P<at>@)                             # a mail address, a mention
  | (?<=\w)(?P<dot>[.。．｡])(?=[^\W\d_])   # host.example, with any dot of IDNA; not 15.1.2507
  | (?P<slashes>\\\\)(?=\w)               # \\server\share
    """,
    re.VERBOSE,
)
_WIDE = {ord(character): ord(character) + 0xFEE0 for character in r"*_~`<>[]#|\&@{}$^"}
"""Characters of markup and mentions to their wide forms (Unicode, Halfwidth and Fullwidth Forms)."""
_QUOTES = str.maketrans("«»", "‹›")
"""What words are put between does not occur in them."""
_EMOJI = re.compile(r":(?=[\w+-]+:)")


class Style(StrEnum):
    """What a target makes of a text."""

    TEXT = "text"
    """It is shown, or handed on, as it is."""
    CHAT = "chat"
    """Some of it is read as markup or mentions."""


def inert(words: str, most: int = MOST_WORDS) -> str:
    """The words of a peer as text that is nothing else: visible, on one line, with no link in it, and at most so long."""
    text = visible(words[:MOST_KEPT], keep="").strip()
    text = _LINKING.sub(_broken, text).translate(_QUOTES)
    return text if len(text) <= most and len(words) <= MOST_KEPT else text[: most - 1] + "…"


def own(text: str) -> str:
    """A text of ours on one line: a value in it may come from an estate, or from Dynamics."""
    return visible(_SPACE.sub(" ", text), keep="").strip()


def as_styled(text: str, style: Style) -> str:
    """A text as a target of this style shows it as it is."""
    return text if style is Style.TEXT else _EMOJI.sub("：", text.translate(_WIDE))


def _broken(found: re.Match[str]) -> str:
    return f"[{found[0]}]"

"""Which characters are written as they are: one rule for transcripts, documents, reports, listings and messages.

Text from a peer, a file or a command line never controls the terminal, and never shows its letters in a misleading order.
"""

from __future__ import annotations

import re

_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
"""Unicode's space separators (category Zs) besides the space: Python does not count them as printable, but they do no more than stand there."""

_LOOKED_AT = re.compile(r"[^ -~]")


def visible(text: str, *, keep: str = "\t") -> str:
    """The text with each character that steers a terminal, or shows as nothing, as an escape: `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`.

    These are controls, format characters (marks of direction, joiners, tags), surrogates, what is private or unassigned, and the
    separators of lines and paragraphs: Unicode's categories C, Zl and Zp. `keep` names controls that stay. A backslash stays as it is.
    """
    if text.isprintable():  # as nearly everything is, of the thousands of lines of a run
        return text
    return _LOOKED_AT.sub(lambda found: found[0] if found[0] in keep else _written(found[0]), text)


def _written(character: str) -> str:
    if character.isprintable() or character in _SPACES:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

"""Strikes secrets out of everything that is recorded: every secret of a run, in every spelling that we or a server may give it.

Bytes are compared before they are made printable; text, which was made printable before it came here, is compared with
what each spelling looks like then. A secret that is also a word that servers say by themselves is struck everywhere alike, so that where it
is struck does not tell it.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar
from urllib.parse import quote, quote_plus

from probe.wire.lines import as_text

STRUCK = "***"
_STRUCK = STRUCK.encode()

SHORTEST = 3
"""Letters of the shortest spelling that is looked for. A shorter one occurs by chance in any line; no authority or directory takes such a password."""
SHORTEST_BEGINNING = 4
"""Letters of a secret's beginning that is struck out where a text was cut off, and may have been cut in the middle of the secret."""
LONGEST_BEGINNING = 300
"""The most that is kept of a peer's words in any sentence of ours."""
FEW = 300
"""Spellings that one regular expression finds faster than a search from place to place; a secret has 10 to 40."""
SHORT = 20_000
"""Letters of all spellings that make one regular expression: to compile those of a certificate with its key, of 300,000, takes seconds."""
_CUT_HERE = re.compile(r"""\Z|\.\.\.|['"]""")
"""Where the words of a peer may have been cut off, in a sentence of ours."""

# What follows these words is a secret, or wraps one, whichever way it is encoded.
_BY_PLACE = (
    re.compile(r"(?i)^(PASS |AUTH \S+ |A\w* LOGIN |A\w* AUTHENTICATE \S+ )\S.*$"),
    re.compile(r"(?i)^((?:Proxy-)?Authorization: *)(?!NTLM TlRMTVNTUAABAAAA).*$"),
)

T = TypeVar("T", str, bytes)


class Redactor:
    """Knows the secrets of a run, and strikes them out of bytes and of text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._in_bytes = _Finder[bytes]()
        self._in_text = _Finder[str]()
        self._beginnings: set[str] = set()
        self._longest_beginning = 0
        self.was_said_untold = False
        """Whether a peer said one that it had not been told in that conversation; noted by whoever finds it."""
        self.add(secrets)

    @property
    def knows_any(self) -> bool:
        """Whether there is a secret to look for."""
        return bool(self._known)

    def add(self, secrets: Iterable[str]) -> None:
        """Know these too, from now on. Takes up to a millisecond for each."""
        for secret in {s for s in secrets if s} - self._known:
            self._known.add(secret)
            raw = set(_spellings(secret))
            shown = {as_text(spelling) for spelling in raw} | {_folded(as_text(spelling)) for spelling in raw}
            self._in_bytes.add(spelling for spelling in raw if len(spelling) >= SHORTEST)
            self._in_text.add(spelling for spelling in shown if len(spelling) >= SHORTEST)
            plain = as_text(secret.encode("utf-8", "surrogateescape"))
            self._beginnings.update(plain[:length] for length in range(SHORTEST_BEGINNING, min(len(plain), LONGEST_BEGINNING)))
            self._longest_beginning = max(self._longest_beginning, min(len(plain), LONGEST_BEGINNING) - 1)

    def shown(self, data: bytes, *, said_by_us: bool) -> str:
        """Bytes off the wire as printable text, with every secret struck out; of our own lines also whatever stands where secrets stand."""
        if self._known:
            data = self._in_bytes.struck(data, _STRUCK)
        return self.clean(as_text(data), said_by_us=said_by_us)

    def clean(self, text: str, *, said_by_us: bool = False) -> str:
        """The text with every secret struck out."""
        if self._known:
            text = self._in_text.struck(text, STRUCK)
        if said_by_us:
            for place in _BY_PLACE:
                text = place.sub(rf"\1{STRUCK}", text)
        return text

    def clean_sentence(self, text: str) -> str:
        """A sentence of ours that may repeat a peer, with every secret struck out, and the beginning of one where its words may have been cut off."""
        text = self.clean(text)
        if not self._beginnings:
            return text
        for cut in reversed(list(_CUT_HERE.finditer(text))):
            end = cut.start()
            for length in range(min(end, self._longest_beginning), SHORTEST_BEGINNING - 1, -1):
                if text[end - length : end] in self._beginnings:
                    text = text[: end - length] + STRUCK + text[end:]
                    break
        return text


class _Finder(Generic[T]):
    """Finds any of many spellings."""

    def __init__(self) -> None:
        self._spellings: set[T] = set()
        self._letters = 0
        self._by_start: dict[T, list[T]] = defaultdict(list)
        self._pattern: re.Pattern[T] | None = None

    def add(self, spellings: Iterable[T]) -> None:
        """Look for these too."""
        for spelling in set(spellings) - self._spellings:
            self._spellings.add(spelling)
            self._letters += len(spelling)
            self._by_start[spelling[:SHORTEST]].append(spelling)
        self._pattern = None

    def struck(self, text: T, by: T) -> T:
        """The text with each spelling replaced, the longest first where several begin at one place."""
        if not self._spellings:
            return text
        if len(self._spellings) <= FEW and self._letters <= SHORT:
            if self._pattern is None:
                longest_first = sorted(self._spellings, key=lambda spelling: (-len(spelling), spelling))
                between = "|" if isinstance(by, str) else b"|"
                self._pattern = re.compile(between.join(map(re.escape, longest_first)))
            return self._pattern.sub(lambda _: by, text)
        kept: list[T] = []
        done, starts = 0, self._by_start
        for place in range(len(text) - SHORTEST + 1):
            if place >= done and text[place : place + SHORTEST] in starts:
                found = [s for s in starts[text[place : place + SHORTEST]] if text.startswith(s, place)]
                if found:
                    kept += [text[done:place], by]
                    done = place + max(map(len, found))
        kept.append(text[done:])
        return text[:0].join(kept)


def _spellings(secret: str) -> Iterator[bytes]:
    """A secret in every spelling that a codec of ours, or of a server that repeats what it was told, gives it."""
    from html import escape  # which brings every character that HTML has a name for

    texts = {secret, _folded(secret)}
    for text in tuple(texts):
        backslashes = text.replace("\\", "\\\\")
        texts |= {
            backslashes,
            backslashes.replace('"', '\\"'),  # IMAP's quoted strings (RFC 9051 section 4.3), and Python's own way to show a text
            backslashes.replace("'", "\\'"),
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            escape(text),
            escape(text).replace("&#x27;", "&#39;"),
            escape(text, quote=False),
        }
    for text in texts:
        for raw in _encoded(text):
            yield raw
            yield from (raw.hex().encode(), raw.hex().upper().encode())
            yield from _inside_base64(raw)
            for escaped in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
                yield escaped.encode()
                yield re.sub("%..", lambda found: found[0].lower(), escaped).encode()


def _encoded(text: str) -> Iterator[bytes]:
    yield text.encode("utf-8", "surrogateescape")
    for codec in ("utf-16-le", "utf-16-be", "latin-1", "cp1252"):
        try:
            yield text.encode(codec)
        except UnicodeEncodeError:
            continue


def _inside_base64(raw: bytes) -> Iterator[bytes]:
    """How these bytes look inside base64, at each of the three places where a longer text may put them."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        # The characters at either end also carry bits of what stands before and after.
        stable = encoded[(0, 2, 3)[shift] :].rstrip(b"=")
        found = stable if (len(raw) + shift) % 3 == 0 else stable[:-1]
        yield found
        yield found.translate(bytes.maketrans(b"+/", b"-_"))


def _folded(text: str) -> str:
    """White space as a reader that folds it leaves it."""
    return " ".join(text.split())

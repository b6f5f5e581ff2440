"""A mail address in what is kept, to be found there and erased."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.model.kinds import Json

ERASED = "(erased)"
"""What stands in the place of an address that was erased."""
_STANDS_ALONE = re.compile(r"[\w.~-]", re.ASCII)
"""Characters that a URL never quotes (RFC 3986 section 2.3)."""


class NamedAddress:
    """Somebody's mail address wherever it stands by itself, not as the end of a longer one, quoted as in a URL or not. Capital letters are no others."""

    __slots__ = ("_pattern", "_whole", "address")

    def __init__(self, address: str) -> None:
        self.address = address
        self._whole = address.casefold()
        # What a URL quotes just before it is no part of a longer address.
        before = r"(?:(?<![\w.+%-])|(?<=%[0-9a-f]{2})|(?<=%25[0-9a-f]{2}))"
        self._pattern = re.compile(rf"{before}{''.join(map(_spelt, address))}(?![\w-]|\.\w)", re.IGNORECASE)

    def is_it(self, text: str) -> bool:
        """Whether a text is the address and nothing else."""
        return text.casefold() == self._whole

    def is_in(self, value: Json) -> bool:
        """Whether it is named anywhere in a value, the names of members included."""
        return any(self._pattern.search(text) for text in _texts(value))

    def struck(self, value: Json) -> Json:
        """The value with something in the place of the address."""
        match value:
            case str():
                return self._pattern.sub(ERASED, value)
            case dict():
                return {self.struck(name): self.struck(of_it) for name, of_it in value.items()}
            case list():
                return [self.struck(one) for one in value]
        return value


def _spelt(character: str) -> str:
    """A character as it stands in a text, or in a URL, which may be quoted within another."""
    if _STANDS_ALONE.match(character):
        return re.escape(character)
    quoted = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    return f"(?:{re.escape(character)}|{quoted})"


def _texts(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, of_it in value.items():
                yield name
                yield from _texts(of_it)
        case list():
            for one in value:
                yield from _texts(one)

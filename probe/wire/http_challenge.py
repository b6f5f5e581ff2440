"""Reads WWW-Authenticate headers into challenges (RFC 9110 section 11.6.1).

The grammar is ambiguous: a comma separates challenges, their parameters and nothing at all, and one word may be
a scheme, a parameter or a token. Real servers break it besides. So this is a reader that always comes to an
end with what can be understood; what cannot is passed over up to the next comma, never turned into a scheme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from probe.model.kinds import Challenge

MAX_HEADER_CHARACTERS = 32 * 1024
"""Of one header; the longest real one, a Negotiate token with a Kerberos ticket, has about 12 KiB."""
MAX_CHALLENGES = 64
"""In all; real servers offer five at most."""
MAX_PARAMETERS = 64
"""Of one challenge; real ones have seven at most."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_TOKEN68 = re.compile(r"([A-Za-z0-9\-._~+/]+)(=*)(?=[ \t]*(?:,|\Z))")  # RFC 9110 section 11.2
_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"[ \t,]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_BARE_VALUE = re.compile(r"[^\s,]*")  # wider than a token: addresses without quotes occur
_TO_COMMA = re.compile(r"[^,\"]*")


def parse_challenges(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """Every challenge of some WWW-Authenticate headers, in order. Never raises; what is not understood is left out."""
    challenges: list[Challenge] = []
    for header in headers:
        challenges += _ChallengeReader(header[:MAX_HEADER_CHARACTERS]).challenges(MAX_CHALLENGES - len(challenges))
    return tuple(challenges)


class _ChallengeReader:
    """Reads one header from left to right. Every step consumes at least one character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def challenges(self, limit: int) -> list[Challenge]:
        found: list[_Draft] = []
        while True:
            self._take(_GAP)
            if self._at >= len(self._text):
                break
            name = self._take(_TOKEN)
            if name and self._peek(_EQUALS):
                self._take(_EQUALS)
                value = self._value()
                # A parameter before any scheme belongs to nothing.
                if found and len(found[-1].parameters) < MAX_PARAMETERS:
                    found[-1].parameters.append((name, value))
            elif name and self._is_separated():
                if len(found) >= limit:
                    break
                found.append(_Draft(name, self._token68()))
            else:
                self._pass_over()
        return [Challenge(d.scheme, d.token, tuple(d.parameters)) for d in found]

    def _value(self) -> str:
        return self._quoted() if self._text.startswith('"', self._at) else self._take(_BARE_VALUE)

    def _quoted(self) -> str:
        """A quoted string with its escapes resolved; to the end of the header where the closing quote is missing."""
        characters: list[str] = []
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                break
            if character == "\\" and self._at < len(self._text):
                character = self._text[self._at]
                self._at += 1
            characters.append(character)
        return "".join(characters)

    def _token68(self) -> str | None:
        """The token68 that NTLM and Negotiate carry, if one follows the scheme."""
        start = self._at
        self._take(_SPACE)
        match = _TOKEN68.match(self._text, self._at) if self._at > start else None
        # `realm=` is a parameter without value and also a token68 by the letter; base64 comes in fours.
        if match is None or (match[2] and len(match[0]) % 4):
            return None
        self._at = match.end()
        return match[0]

    def _is_separated(self) -> bool:
        return self._at >= len(self._text) or self._text[self._at] in " \t,"

    def _pass_over(self) -> None:
        while self._at < len(self._text):
            self._take(_TO_COMMA)
            if not self._text.startswith('"', self._at):
                break
            self._quoted()

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _peek(self, pattern: re.Pattern[str]) -> bool:
        return pattern.match(self._text, self._at) is not None


class _Draft:
    """A challenge whose parameters are still coming."""

    __slots__ = ("parameters", "scheme", "token")

    def __init__(self, scheme: str, token: str | None) -> None:
        self.scheme = scheme
        self.token = token
        self.parameters: list[tuple[str, str]] = []

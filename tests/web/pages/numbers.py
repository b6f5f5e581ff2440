"""Finds the numbers of a page, and says of each where in the API it is found again. A number of which it does not know that is one too many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import takewhile
from typing import Any

from probe.document.telling.words import CITED_LIMIT, VALUE_LIMIT, value_in_words

Json = Any

_BLOCKS = {"tr", "li", "p", "dd", "dt", "h1", "h2", "h3", "summary", "blockquote", "caption", "pre", "label", "option", "text", "title"}
"""Elements whose text is read as one; what is in several is of the innermost."""
_CELLS = {"td", "th"}
CELL = "|"
"""Stands between the cells of a row."""
_INLINE = {"a", "bdi", "time", "span", "code", "strong", "del", "ins", "q"}
_WORD_WITH_DIGIT = re.compile(r"\S*\d\S*")
_SPEAKERS = {"peer": "server", "probe": "probe"}
_ROUND_A_WORD = "()[]{}.,;:!?'\"`<>"


@dataclass
class Block:
    """A piece of a page that is read as one."""

    tag: str
    text: str = ""
    """Without that of its times."""
    times: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class _BlockReader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.blocks = [Block("body")]
        self._open = [self.blocks[0]]
        self._in_time = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._open.append(Block(tag))
            self.blocks.append(self._open[-1])
        block = self._open[-1]
        block.text += "" if tag in _INLINE else f" {CELL} " if tag in _CELLS else " "
        if tag == "time":
            block.times.append(given["datetime"])
            self._in_time = True
        if "href" in given:
            block.links.append(given["href"])
        self.blocks += [Block("label of " + tag, given[name]) for name in ("aria-label", "data-value") if name in given]

    def handle_endtag(self, tag: str) -> None:
        self._open[-1].text += "" if tag in _INLINE else " "
        self._in_time = self._in_time and tag != "time"
        if tag in _BLOCKS:
            assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        if not self._in_time:
            self._open[-1].text += data


def blocks_of(page: str) -> list[Block]:
    """The pieces of a page, each with its text in one line."""
    blocks = _BlockReader(page).blocks
    for block in blocks:
        block.text = " ".join(block.text.split())
    return blocks


@dataclass(frozen=True)
class Claim:
    """Where the numbers of some pieces are found again: those that groups of the pattern match."""

    pattern: re.Pattern[str]
    expected: Callable[[re.Match[str], Block], Sequence[int] | None]
    """What the API has for the groups whose names begin with n, in their order; None where the piece is none of this kind."""
    tags: frozenset[str] = frozenset()
    """Of the pieces; empty for any."""

    def groups(self, block: Block) -> Iterator[tuple[re.Match[str], list[tuple[int, int]], Sequence[int]]]:
        """Each match of a piece, with where its numbers stand and what they should be."""
        if self.tags and block.tag not in self.tags:
            return
        names = [name for name in self.pattern.groupindex if name.startswith("n")]
        for match in self.pattern.finditer(block.text):
            if (expected := self.expected(match, block)) is not None:
                yield match, [match.span(name) for name in names], expected


def claim(pattern: str, *tags: str) -> Callable[[Callable[[re.Match[str], Block], Sequence[int] | None]], Claim]:
    """Makes a claim of a function that says what the API has."""
    return lambda expected: Claim(re.compile(pattern), expected, frozenset(tags))


def constant(pattern: str, *tags: str) -> Claim:
    """A number that is the program's own, and the same for every estate."""
    compiled = re.compile(pattern)
    return Claim(compiled, lambda match, _: [int(match[name]) for name in compiled.groupindex if name.startswith("n")], frozenset(tags))


class Corpus:
    """All that some answers of the API say in words."""

    def __init__(self, answers: Iterable[Json]) -> None:
        self._strings = list(dict.fromkeys(_plain(text) for answer in answers for text in _strings(answer)))
        self._whole = "\n".join(self._strings)
        self._known = frozenset(self._strings)

    def is_known(self, at: str) -> bool:
        """Whether an answer has a time, or a day, as it is."""
        return at in self._known

    def quotes(self, text: str, start: int, end: int) -> bool:
        """Whether a word of a text is quoted: it stands in an answer as it is, one of digits alone with the words beside it."""
        word = text[start:end]
        first, last = len(word) - len(word.lstrip(_ROUND_A_WORD)), len(word.rstrip(_ROUND_A_WORD))
        bare = word[first:last]
        if not re.fullmatch(r"[\d,]+", bare):
            return bare in self._whole
        if len(text) > len(bare) and text in self._whole:
            return True
        before, after = _beside(text[:start].split()[::-1]), _beside(text[end:].split())
        near = [*([f"{before[0]} {word}"] if before else []), *([f"{word} {after[0]}"] if after else [])]
        far = [
            *([f"{before[1]} {before[0]} {word}"] if len(before) > 1 else []),
            *([f"{word} {' '.join(after)}"] if len(after) > 1 else []),
        ]
        return (bool(near) and all(map(self._has, near))) or any(map(self._has, far))

    def _has(self, phrase: str) -> bool:
        return phrase.strip(_ROUND_A_WORD) in self._whole

    def has_longer_by(self, number: int) -> bool:
        """Whether an answer has a text that is so many characters longer than what pages show of one."""
        return any(len(one) - limit == number for one in self._strings for limit in (CITED_LIMIT, VALUE_LIMIT))


def unknown_numbers(page: str, corpus: Corpus, claims: Iterable[Claim]) -> list[str]:
    """The numbers of a page that no answer has and no claim knows, and those that a claim knows and that the API has otherwise; each with its piece."""
    wrong: list[str] = []
    claims = [*claims, _cut(corpus)]
    for block in blocks_of(page):
        wrong += [f"time {at} in {block.tag}: {block.text}" for at in block.times if not corpus.is_known(at)]
        covered: list[tuple[int, int]] = []
        for one in claims:
            for match, spans, expected in one.groups(block):
                shown = [int(block.text[start:end].replace(",", "")) for start, end in spans if start >= 0]
                if shown != list(expected):
                    wrong.append(f"{match[0]!r} is {list(expected)} in the API, in {block.tag}: {block.text}")
                covered += spans
        for found in _WORD_WITH_DIGIT.finditer(block.text):
            is_claimed = any(start < found.end() and found.start() < end for start, end in covered)
            if not is_claimed and not corpus.quotes(block.text, *found.span()):
                wrong.append(f"{found[0]!r} in {block.tag}: {block.text}")
    return wrong


def _beside(words: Sequence[str]) -> list[str]:
    """The next two words of a cell."""
    return [*takewhile(lambda word: word != CELL, words[:2])]


def _cut(corpus: Corpus) -> Claim:
    pattern = re.compile(r"\.\.\. \((?P<n>[\d,]+) more characters?\)")

    def expected(match: re.Match[str], _: Block) -> Sequence[int]:
        number = int(match["n"].replace(",", ""))
        return [number] if corpus.has_longer_by(number) else []

    return Claim(pattern, expected)


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def _strings(answer: Json) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, Mapping):
        # A value, and a line that was said, in the words in which a page has them.
        if "value" in answer:
            yield value_in_words(answer["value"])
        if "from" in answer and "text" in answer:
            yield f"{_SPEAKERS.get(answer['from'], 'note')} {answer['text']}"
        for name, value in answer.items():
            yield name
            yield from _strings(value)
    elif isinstance(answer, Sequence):
        for one in answer:
            yield from _strings(one)

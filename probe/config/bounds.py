"""What is refused before it is parsed, because the parsers would be busy with it for minutes.

tomllib and tree-sitter take time by what stands in a file rather than by its size, and the bound of its size alone does not hold them.
"""

from __future__ import annotations

import re

MOST_IN_A_LINE = 1024 * 1024
"""Characters; tomllib takes 120 bytes of memory for each digit of a number."""

MOST_DOTS_IN_A_LINE = 1000
MOST_WORK_OF_DOTS = 10_000_000
"""tomllib looks up each prefix of a dotted key, from the heading down: measured 0.03 to 0.4 microseconds for each unit of `_work`, so a few
seconds at most. Dots in texts are not counted; an estate has hardly any others."""

MOST_MARKS = 3_000_000
"""Line ends and equals signs, twice; quotes, commas and backslashes; and brackets, which may be whole tables, four times: by these the
values and the nodes of the tree are bounded, and the time to less than a minute. A mailbox has about 60."""
_MARKS = {"\n": 2, "=": 2, '"': 1, "'": 1, ",": 1, "\\": 1, "[": 4, "{": 4}

_BLOCK = 64 * 1024
"""Characters in which marks are counted at a time."""

MOST_NESTED = 100
"""Far above what an estate needs, far below where tomllib gives up."""

# Each alternative matches also where the end of the string is not there, and gives nothing back: so no text makes the search look twice.
_TEXTS = re.compile(
    r'"""(?:[^"\\]+|\\.|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']+|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]+|\\[^\n])*+"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)


def too_much(text: str) -> tuple[int, str] | None:
    """The line at which a text passes a bound, and what it is that there is too much of; None where it passes none."""
    if number := _too_many_marks(text):
        return number, "holds more keys and values up to this line than an estate needs; up to 50,000 mailboxes are read"
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MOST_IN_A_LINE:
            return number, f"holds more than {MOST_IN_A_LINE // 1024} KiB in a line; break it up"
    work = heading = 0
    for number, line in enumerate(_without_texts(text).split("\n"), 1):
        dots = line.count(".")
        if dots > MOST_DOTS_IN_A_LINE:
            return number, f"holds more than {MOST_DOTS_IN_A_LINE} dots in a line; break it up"
        work += _work(dots, heading)
        if line.lstrip().startswith("["):
            # The deepest so far, and not the last: a line of an array begins with a bracket too.
            heading = max(heading, dots)
        if work > MOST_WORK_OF_DOTS:
            return number, "holds more dots up to this line than an estate needs; write keys and headings without them"
    return None


def too_deep(text: str) -> int | None:
    """The first line that stands more than MOST_NESTED brackets deep."""
    depth = 0
    for number, line in enumerate(_without_texts(text).split("\n"), 1):
        for character in line:
            depth += (character in "[{") - (character in "]}")
            if depth > MOST_NESTED:
                return number
    return None


def _without_texts(text: str) -> str:
    """A text less its strings and comments, the lines kept. Beyond the first mistake of a text, where no parser gets, it may be wrong."""
    return _TEXTS.sub(lambda found: "\n" * found[0].count("\n"), text)


def _too_many_marks(text: str) -> int | None:
    """The line at which there are more than MOST_MARKS; counted in blocks, since most files are only a few."""
    marks = 0
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK]
        if marks + _marks(block) > MOST_MARKS:
            number = text.count("\n", 0, start) + 1
            for line in block.split("\n"):
                marks += _marks(line) + _MARKS["\n"]
                if marks > MOST_MARKS:
                    return number
                number += 1
        marks += _marks(block)
    return None


def _marks(text: str) -> int:
    return sum(text.count(mark) * weight for mark, weight in _MARKS.items())


def _work(dots: int, heading: int) -> int:
    """What a line costs tomllib, by the dots in it and in the heading that it stands under."""
    return dots * dots + 20 * dots + 4 * heading * (dots + 1)

"""What is counted of a text before it is parsed."""

from __future__ import annotations

import time
import tomllib

import pytest

from probe.config.bounds import MOST_DOTS_IN_A_LINE, too_deep, too_much

DOTS = ".a" * (MOST_DOTS_IN_A_LINE + 1)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ('"\\""', '."\\"" = 1'),
        ('"\\\\"', '."" = 1'),
        ("'\\'", ".'' = 1"),
        ('x = {y = """\n""", a', '."k" = 1}'),
        ('x = {y = """a"""", a', '."k" = 1}'),
        ('x = {y = """\\""" \\\\""", a', '."k" = 1}'),
        ("x = {y = '''\n''''', a", ".k = 1}"),
        ("# '''\na", " = 1 # '''"),
        ("x = '#'\na", " = '''\n'''"),
    ],
)
def test_no_text_hides_the_dots_of_a_key(before: str, behind: str) -> None:
    """However strings begin and end around it, a dotted key is seen as tomllib sees it."""
    assert tomllib.loads(f"{before}.a{behind}")
    passed = too_much(f"{before}{DOTS}{behind}")
    assert passed is not None
    assert "dots in a line" in passed[1]


@pytest.mark.parametrize("text", ['a = "{}"', "a = '{}'", 'a = """\n{}\\"""{}"""""', "a = '''{}'' '''", "# {}", '"{}" = 1'])
def test_dots_and_brackets_in_texts_and_comments_are_none(text: str) -> None:
    """What stands in strings and comments costs nothing and nests nothing."""
    whole = text.replace("{}", DOTS + "[" * 500)
    assert tomllib.loads(whole) is not None
    assert (too_much(whole), too_deep(whole)) == (None, None)


@pytest.mark.parametrize(
    "piece", ['"""', "'''", '\\"""', '"', "'", "\\", '"""a\n', "'''\n\"\"\"\n", '"a\n', "[", "#\n", "a", "\n"], ids=repr
)
def test_counting_takes_time_by_the_size_alone(piece: str) -> None:
    """No text of 2 MiB, of whatever quotes that do not end, is looked at twice."""
    text = '"""' + piece * (2 * 1024 * 1024 // len(piece))
    started = time.process_time()
    too_much(text[3:])
    too_deep(text)
    assert time.process_time() - started < 5

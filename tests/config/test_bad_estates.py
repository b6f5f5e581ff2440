"""Every way to be wrong draws one message that names file, line and key, and says what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe.config import EstateError, load_estate

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))
WITH_SEVERAL_MISTAKES = {"several_mistakes", "empty"}
FOREIGN_WORDS = ("Input should", "Field required", "Value error", "Extra inputs", "Traceback", "NoneType")


def expected(path: Path) -> list[str]:
    """What the comments at the top of a file say that is said of it."""
    mark = "# expect: "
    return [f"{path}:{line.removeprefix(mark)}" for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(mark)]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_in_the_words_beside_it(path: Path) -> None:
    """An estate with mistakes is refused, with all of them at once, in the order of their lines."""
    with pytest.raises(EstateError) as refused:
        load_estate(path)
    assert [str(problem) for problem in refused.value.problems] == expected(path)
    assert str(refused.value).splitlines() == expected(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_once_and_without_secrets(path: Path) -> None:
    """One mistake is one message, in our own words, and repeats no secret."""
    said = "\n".join(expected(path))
    assert (len(expected(path)) == 1) is (path.stem not in WITH_SEVERAL_MISTAKES)
    assert "hunter2" not in said
    assert "ter2" not in said
    assert not [word for word in FOREIGN_WORDS if word in said]


def test_a_line_in_a_message_is_the_line_of_the_mistake() -> None:
    """Where the key of a message is written, it stands on the line that the message names."""
    pointed = 0
    for path in BAD:
        with pytest.raises(EstateError) as refused:
            load_estate(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        for problem in refused.value.problems:
            last = problem.key.rpartition(".")[2]
            if problem.line is not None and last and "[" not in last and "is missing" not in problem.message and "." in problem.key:
                assert last in lines[problem.line - 1], f"{path.name}: {problem}"
                pointed += 1
    assert pointed > 50

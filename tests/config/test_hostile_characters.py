"""Characters that a terminal obeys, or that show as nothing, in every place of an estate."""

from __future__ import annotations

import pytest

from probe.config import EstateError, read_estate
from probe.config.keys import HEADINGS, TABLES
from tests.config.estates import DEPLOYMENT, DYNAMICS, MAILBOX, PROFILE

HOSTILE = {
    "control": "\x07",
    "escape": "\x1b",
    "line-end": "\n",
    "carriage-return": "\r",
    "tab": "\t",
    "delete": "\x7f",
    "next-line": "\x85",
    "csi": "\x9b",
    "soft-hyphen": "\u00ad",
    "arabic-mark": "\u061c",
    "zero-width": "\u200b",
    "joiner": "\u200d",
    "right-to-left": "\u200f",
    "line-separator": "\u2028",
    "paragraph-separator": "\u2029",
    "override": "\u202e",
    "isolate": "\u2066",
    "byte-order-mark": "\ufeff",
    "private": "\ue000",
    "unassigned": "\u0378",
    "tag": "\U000e0041",
}
TABLE_TEXTS = {
    "deployment": DEPLOYMENT,
    "dynamics": DYNAMICS,
    "schedule": "[schedule]",
    "alerts": "[alerts]",
    "history": "[history]",
    "profile": PROFILE,
    "mailbox": MAILBOX,
}
PLACES = [
    (table, key, example)
    for table, model in TABLES.items()
    for key, field in model.model_fields.items()
    if isinstance((example := (field.examples or [None])[0]), str) or (isinstance(example, list) and isinstance(example[0], str))
]


def estate_with(table: str | int, key: str, written: str) -> str:
    """An estate in which a key of a table holds this, as TOML."""
    texts = {
        name: "\n".join(line for line in text.split("\n") if name != table or not line.startswith(f"{key} ="))
        for name, text in TABLE_TEXTS.items()
    }
    return "\n".join(text + (f"\n{key} = {written}\n" if name == table else "") for name, text in texts.items())


def quoted(text: str) -> str:
    """A text as TOML; what is not plain ASCII as an escape, which a file can hold."""
    return '"' + "".join(c if c.isascii() and c.isprintable() else f"\\U{ord(c):08x}" for c in text) + '"'


def told(text: str) -> list[str]:
    """What is said of a text; nothing where it loads."""
    try:
        read_estate(text, "estate\x9b\n.toml")
    except EstateError as refused:
        return [str(problem) for problem in refused.problems]
    return []


@pytest.mark.parametrize("character", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_value_of_an_estate_holds_one(character: str) -> None:
    """Every key that takes text refuses such a character wherever it stands in the value, and no message repeats it."""
    for table, key, example in PLACES:
        word = example if isinstance(example, str) else example[0]
        for at in (0, 1, len(word) // 2, len(word)):
            value = word[:at] + character + word[at:]
            messages = told(estate_with(table, key, quoted(value) if isinstance(example, str) else f"[{quoted(value)}]"))
            assert any(f".{key}" in message for message in messages), f"{table}.{key} = {value!r}"
            assert all(message.isprintable() for message in messages), messages


@pytest.mark.parametrize("character", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_message_repeats_one_of_a_key(character: str) -> None:
    """A key or a heading that holds such a character is unknown, and is shown with an escape."""
    for text in (
        *(estate_with(table, quoted(f"na{character}me"), "1") for table in HEADINGS),
        f"[{quoted(f'deploy{character}ment')}]\n" + DEPLOYMENT + PROFILE + MAILBOX,
    ):
        messages = told(text)
        assert any("is not known here" in message for message in messages)
        assert all(message.isprintable() and message.startswith(r"estate\x9b\x0a.toml:") for message in messages)


@pytest.mark.parametrize("character", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_message_repeats_one_of_a_text_that_is_not_toml(character: str) -> None:
    """The words of the parser about a broken line, and what it quotes of it, are visible too."""
    for text in (
        f"{character} = 1",
        f"a = {character}",
        f"a{character} = 1",
        f'a = "{character}',
        f"[a{character}",
        f'"a{character}" = 1\n"a{character}" = 1',
    ):
        messages = told(text)
        assert messages
        assert all(message.isprintable() for message in messages), messages


@pytest.mark.parametrize("name", ["почта", "邮件", "e\u0301", "büro", "מייל"])
def test_letters_of_every_script_are_taken(name: str) -> None:
    """Names and accounts may be written in any script."""
    assert told(estate_with("profile", "username", quoted(name))) == []
    assert told(estate_with("deployment", "name", quoted(name))) == []

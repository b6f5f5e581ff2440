"""Remedies as templates: names, audiences, commands."""

from __future__ import annotations

import pytest

from probe.model.remedies import Audience, Name, filled, first_sentence, names_in, steps

TEMPLATE = (
    "Let ACCOUNT open it.\n"
    "At Exchange Server: `Add-MailboxPermission -Identity ADDRESS -User ACCOUNT` It takes a minute.\n"
    "At Gmail: look at the settings.\n"
    "Then check HOST again."
)


def test_names_are_filled_in_and_unknown_ones_stay() -> None:
    """A name that the case knows stands in the place of its capitals, in prose and in commands; one that it does not know stays."""
    assert filled(TEMPLATE, {Name.ACCOUNT: ["svc@contoso.test"]}) == TEMPLATE.replace("ACCOUNT", "svc@contoso.test")


def test_only_whole_words_in_capitals_are_names() -> None:
    """What merely holds a name's letters is no name."""
    assert names_in("HOSTING, LOCALHOST, SUB-HOST, host") == frozenset()
    assert names_in("`x -Port PORT`, HOST:PORT") == {Name.HOST, Name.PORT}


def test_paragraphs_for_others_are_left_out() -> None:
    """Of the paragraphs for one server or provider each, a case keeps its own, and all of them where the server is not known."""
    assert "Gmail" not in filled(TEMPLATE, {}, {Audience.EXCHANGE_SERVER})
    assert filled(TEMPLATE, {}, frozenset()) == "Let ACCOUNT open it.\nThen check HOST again."
    assert filled(TEMPLATE, {}, None) == TEMPLATE


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("svc@contoso.test", "svc@contoso.test"),
        ("CONTOSO\\svc-crm", "CONTOSO\\svc-crm"),
        ("two words", "'two words'"),
        ("o'brien@contoso.test", "'o''brien@contoso.test'"),
        ("o\u2019brien; Remove-Mailbox x", "'o\u2019\u2019brien; Remove-Mailbox x'"),
        ("$(Stop-Computer)", "'$(Stop-Computer)'"),
        ("-Confirm", "'-Confirm'"),
        ("@x", "'@x'"),
    ],
)
def test_a_value_is_one_word_of_the_command(value: str, word: str) -> None:
    """Whatever a name's value holds, PowerShell reads it as one word of text and nothing more."""
    assert filled("`Get-Mailbox -Identity ADDRESS`", {Name.ADDRESS: [value]}) == f"`Get-Mailbox -Identity {word}`"


@pytest.mark.parametrize("value", ["CN=x` `Remove-Mailbox y", "x\nAt Gmail: `Remove-Mailbox y`", "x\ry"])
def test_no_value_makes_a_command_or_a_paragraph(value: str) -> None:
    """A value that holds what marks commands and paragraphs is not filled in, be it a certificate's subject or an account."""
    template = "Renew CERTIFICATE: `Get-Mailbox -Identity ADDRESS`"
    assert filled(template, {Name.CERTIFICATE: [value], Name.ADDRESS: [value]}) == template


def test_a_command_about_two_endpoints_stands_twice() -> None:
    """A command is repeated for each value, with names of equally many values going together; prose lists them."""
    values = {Name.HOST: ["in.test", "out.test"], Name.PORT: ["995", "587"]}
    assert filled("See HOST: `Test-NetConnection -ComputerName HOST -Port PORT`", values) == (
        "See in.test and out.test: `Test-NetConnection -ComputerName in.test -Port 995` `Test-NetConnection -ComputerName out.test -Port 587`"
    )


def test_of_many_values_the_first_are_written() -> None:
    """Prose names three of many values and counts the rest; a command stands for three at most."""
    text = filled("HOST `nslookup HOST`", {Name.HOST: [f"h{n}.test" for n in range(9)]})
    assert text == "h0.test, h1.test, h2.test and 6 more `nslookup h0.test` `nslookup h1.test` `nslookup h2.test`"


def test_commands_are_told_from_other_words_in_backticks() -> None:
    """A cmdlet or a program is a command; a setting or a fact's name in backticks is prose. The full stop behind a command is no part of it."""
    found = list(steps("Where `auth.refusal` says so, run `probe forget ACCOUNT`. Then `Get-Mailbox -Identity ADDRESS | Format-List`"))
    assert [(step.text, step.is_command) for step in found] == [
        ("Where `auth.refusal` says so, run", False),
        ("probe forget ACCOUNT", True),
        ("Then", False),
        ("Get-Mailbox -Identity ADDRESS | Format-List", True),
    ]


@pytest.mark.parametrize(
    ("remedy", "first"),
    [
        ("Do this. And that.", "Do this."),
        ("See it there: `nslookup HOST` Then do that.", "See it there."),
        ("Do this; `x` follows.\nMore.", "Do this."),
        ("At Gmail: do this, see www.example.test. Else that.", "do this, see www.example.test."),
        ("All in one", "All in one."),
    ],
)
def test_the_first_sentence_says_what_to_do(remedy: str, first: str) -> None:
    """The first sentence ends before the next one or before a command, and needs no word on whom it is for."""
    assert first_sentence(remedy) == first

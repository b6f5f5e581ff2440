"""Laws over the remedies of the whole catalogue of rules."""

from __future__ import annotations

import re

import click
import pytest

from probe.cli import cli
from probe.model.remedies import SAID_BY_PEERS, Name, filled, names_in, steps
from probe.rules import EMAIL_CONFIGURATION
from tests.cases import all_rules

RULES = all_rules()
COMMANDS = sorted({(name, s.text) for name, r in RULES.items() for p in r.remedy.split("\n") for s in steps(p) if s.is_command})

# What each command of a remedy takes, by Microsoft's reference of it (learn.microsoft.com/powershell), read on 2026-11-28. True: with a value.
PARAMETERS: dict[str, dict[str, bool]] = {
    "Add-MailboxPermission": {"-Identity": True, "-User": True, "-AccessRights": True},
    "Enable-ExchangeCertificate": {"-Thumbprint": True, "-Services": True},
    "Format-List": {},
    "Get-CASMailbox": {"-Identity": True},
    "Get-ExchangeCertificate": {},
    "Get-Mailbox": {"-Identity": True},
    "Get-MailboxDatabaseCopyStatus": {},
    "Get-ManagementRoleAssignment": {"-Role": True, "-GetEffectiveUsers": False},
    "Get-MoveRequest": {"-Identity": True},
    "Get-OrganizationConfig": {},
    "Get-Recipient": {"-Identity": True},
    "Get-ThrottlingPolicyAssociation": {"-Identity": True},
    "Get-WebServicesVirtualDirectory": {},
    "New-ManagementRoleAssignment": {"-Name": True, "-Role": True, "-User": True},
    "Set-CASMailbox": {
        "-Identity": True,
        "-PopEnabled": True,
        "-ImapEnabled": True,
        "-EwsEnabled": True,
        "-SmtpClientAuthenticationDisabled": True,
    },
    "Set-OrganizationConfig": {"-EwsEnabled": True, "-EwsAllowList": True},
    "Set-Service": {"-Name": True, "-StartupType": True},
    "Start-Service": {"-Name": True},
    "fl": {},  # Format-List
    "Test-NetConnection": {"-ComputerName": True, "-Port": True},
}
_CAPITALS = re.compile(r"(?<![\w.-])[A-Z]{4,}(?![\w-])")
_NO_NAMES = {"IMAP", "SMTP"}


@pytest.mark.parametrize("name", RULES)
def test_a_remedy_names_in_capitals_only_what_is_filled_in(name: str) -> None:
    """A word in capitals within a command is a name of the closed list, and whatever a peer chose stands in no command."""
    for rule, command in COMMANDS:
        if rule == name:
            assert set(_CAPITALS.findall(command)) <= {*Name, *_NO_NAMES}
            assert not names_in(command) & SAID_BY_PEERS


@pytest.mark.parametrize(("rule", "command"), COMMANDS)
def test_a_command_of_a_remedy_can_be_run(rule: str, command: str) -> None:
    """Every command is whole: quotes and braces are closed, and each cmdlet has parameters that it knows, with their values, and at most one word beside them."""
    assert command.count("'") % 2 == 0
    assert (command.count("{"), command.count("(")) == (command.count("}"), command.count(")"))
    if command.split()[0] in ("probe", "nslookup", "certutil.exe"):
        return
    for part in command.split(" | "):
        cmdlet, *words = part.split()
        known = PARAMETERS[cmdlet]
        waiting = iter(words)
        alone = 0
        for word in waiting:
            if word.startswith("-"):
                value = next(waiting, "") if known[word] else "none"
                assert value
                assert not value.startswith("-")
            else:
                alone += 1
        assert alone <= (1 if "-Identity" in known or not known else 0)


@pytest.mark.parametrize(("rule", "command"), [(r, c) for r, c in COMMANDS if c.startswith("probe ")])
def test_a_remedy_calls_this_program_as_it_can_be_called(rule: str, command: str) -> None:
    """A command of this program has options that the program knows."""
    called: click.Command = cli
    _, *words = command.split()
    while isinstance(called, click.Group):
        called = called.commands[words.pop(0)]
    options = {option for parameter in called.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("name", RULES)
def test_a_remedy_has_something_for_everybody(name: str) -> None:
    """Whatever server answers, some paragraph of the remedy is not for another."""
    assert filled(RULES[name].remedy, {}, frozenset())


def test_the_way_to_the_settings_is_written_once() -> None:
    """Every remedy that leads into Dynamics' settings takes the same way there."""
    assert [name for name, r in RULES.items() if r.remedy.count("Email Configuration") != r.remedy.count(EMAIL_CONFIGURATION)] == []

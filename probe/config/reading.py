"""The way in: from the operator's TOML, or the file that holds it, to the model, with every mistake named at once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from probe.config.problems import EstateError, KeyPath, Problem, why_unreadable
from probe.model.estate import (
    AlertSettings,
    Deployment,
    DynamicsAccess,
    Estate,
    HistoryLimits,
    Mailbox,
    ScheduleSettings,
    ServerProfile,
)

MOST_ESTATE_BYTES = 16 * 1024 * 1024
"""An estate of 2,000 mailboxes takes 0.5 MiB; what is far larger is some other file."""

MOST_MISTAKES = 20_000
"""Told of one kind, those within tables and those between them. Each costs a message of 100 bytes, and nobody reads as many."""


def read_estate(text: str, filename: str) -> Estate:
    """The estate that a TOML text declares; `filename` is for messages. Raises EstateError with every mistake at once."""
    # Building the models takes pydantic tens of milliseconds, which a look, with no estate to read, need not spend.
    from pydantic import ValidationError

    from probe.config.across import mistakes_across
    from probe.config.keys import EstateTables
    from probe.config.positions import located
    from probe.config.sentences import meant_key, translated
    from probe.config.syntax import toml_values
    from probe.config.wording import Guesses

    data = toml_values(text, filename)
    found = list(islice(mistakes_across(data), MOST_MISTAKES))
    meant: set[KeyPath] = set()
    guesses, untold = Guesses(), 0
    try:
        read = EstateTables.model_validate(data)
    except ValidationError as wrong:
        untold = max(0, wrong.error_count() - MOST_MISTAKES)
        for error in wrong.errors(include_url=False, include_input=False)[:MOST_MISTAKES]:
            found.append(translated(error, data, guesses))
            if error["type"] == "extra_forbidden" and (near := meant_key(error["loc"], data, guesses)):
                meant.add((*error["loc"][:-1], near))
    # A misspelt key is one mistake, not an unknown key and a missing one.
    found = [mistake for mistake in found if not (mistake.is_missing and mistake.path in meant)]
    if found:
        problems = sorted(located(found, data, text, filename), key=lambda problem: problem.line or 0)
        if untold:
            problems.append(Problem(filename, None, "", "", f"holds {untold} more mistakes; mend these first"))
        raise EstateError(problems)
    return Estate(
        deployment=Deployment(
            **{**dict(read.deployment), "allow": frozenset(read.deployment.allow), "authorities": tuple(read.deployment.authorities)}
        ),
        profiles=tuple(_profile(dict(profile)) for profile in read.profile),
        mailboxes=tuple(Mailbox(**dict(mailbox)) for mailbox in read.mailbox),
        dynamics=None if read.dynamics is None else DynamicsAccess(**dict(read.dynamics)),
        history=HistoryLimits() if read.history is None else HistoryLimits(**dict(read.history)),
        schedule=ScheduleSettings() if read.schedule is None else read.schedule.settings,
        alerts=AlertSettings() if read.alerts is None else read.alerts.settings,
    )


def _profile(table: dict[str, Any]) -> ServerProfile:
    targets = table["alerts_to"]
    alerts_to = None if targets is None else tuple(dict.fromkeys(targets))
    return ServerProfile(**{**table, "outgoing": table["outgoing"] or table["incoming"], "alerts_to": alerts_to})


def load_estate(path: Path) -> Estate:
    """The estate in a file. Raises EstateError, also where the file cannot be read."""
    return read_estate(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file that should be an estate. Raises EstateError."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_ESTATE_BYTES + 1)
    except (OSError, ValueError) as wrong:  # ValueError: a NUL in the name
        _refuse(path, None, f"cannot be read: {why_unreadable(wrong)}")
    if len(content) > MOST_ESTATE_BYTES:
        _refuse(path, None, f"is larger than {MOST_ESTATE_BYTES // 1024 // 1024} MiB, so it is not an estate")
    if b"\0" in content[:100]:
        _refuse(path, 1, "is not UTF-8 but perhaps UTF-16, which Windows PowerShell writes; save the file as UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError as wrong:
        _refuse(path, content.count(b"\n", 0, wrong.start) + 1, "is not UTF-8; save the file as UTF-8")


def _refuse(path: Path, line: int | None, message: str) -> NoReturn:
    raise EstateError([Problem(str(path), line, "", "", message)]) from None


def example_estate() -> str:
    """The text of the commented example: from the installed package, else from the source tree."""
    from importlib import resources  # which brings tempfile, shutil and zipfile

    installed = resources.files("probe.data") / "estate.example.toml"
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "config" / "estate.example.toml").read_text(encoding="utf-8")

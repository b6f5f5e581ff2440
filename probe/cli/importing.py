"""`probe import`: an estate out of records that are there already."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from probe.cli.options import anchors, writable
from probe.cli.streams import WrongArguments, tell, write_file, write_result

if TYPE_CHECKING:
    from probe.importing import EstateDraft, EstateMerge, ExistingEstate, ImportAccess, ImportedRecords, MailboxSelection

_WAYS = ("negotiate", "ntlm", "oauth")
_MOST_TOLD = 50
"""Sentences on single rows on a terminal."""


@click.group("import")
def import_() -> None:
    """Write an estate out of records that are there already."""


@import_.command()
@click.argument("url", metavar="URL")
@click.option(
    "--output",
    "output_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True, allow_dash=True),
    callback=writable,
    help="The estate to write; one that is there is compared. Left out: standard output.",
)
@click.option(
    "--update", is_flag=True, help="Change the estate that is there where Dynamics has it otherwise; comments and other keys stay."
)
@click.option("--all", "everything", is_flag=True, help="Also mailboxes that server-side synchronization does not serve.")
@click.option(
    "--authentication",
    type=click.Choice(_WAYS),
    help="How to sign in: Kerberos, else NTLM (negotiate, the default), NTLM, or AD FS (oauth).",
)
@click.option("--username", help="As whom; left out: the account that runs probe.")
@click.option("--password", metavar="REFERENCE", help="Where the password is kept: env:NAME, file:PATH or keyring:SERVICE/USER.")
@click.option("--token-url", metavar="URL", help="AD FS's token endpoint; it is sent the password.")
@click.option("--client-id", metavar="ID", help="The client that is registered with AD FS.")
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    callback=anchors,
    help="A PEM file of more trust anchors.",
)
@click.option("--plain-http", is_flag=True, help="Let URL begin with http://, over which all can be read and changed.")
@click.option(
    "--answer", "answers", multiple=True, metavar="KEY=VALUE", help="A key of [deployment] that no record answers, as in fips=false."
)
@click.option("--trust-host", "trusted", multiple=True, metavar="NAME", help="Let credentials go to this host, which is new to the estate.")
def dynamics(
    url: str, output_file: Path | None, update: bool, everything: bool, answers: Sequence[str], trusted: Sequence[str], **signing_in: Any
) -> NoReturn:
    """Write an estate out of the records of Dynamics at URL, such as https://crm.contoso.test/Contoso.

    \b
    Exit codes: 0 written, or nothing differs; 1 the estate that is there differs, and was left as it is;
    2 usage or estate error; 3 Dynamics could not be read.
    """
    from probe.config import EstateError
    from probe.importing import ExistingEstate, choose, compared, drafted, known_hosts
    from probe.model.estate import OrganizationUrl

    if update and (output_file is None or not output_file.exists()):
        raise click.UsageError("--update wants --output with an estate that is there")
    try:
        named = str(OrganizationUrl.parse(url))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    if named.startswith("http://") and not signing_in["plain_http"]:
        raise click.UsageError(f"{named} is without TLS: write https://, or allow it by --plain-http")
    given = _answers(answers)
    agreed = frozenset(map(_host, trusted))
    try:
        existing = _existing(output_file)
        access = _access(named, signing_in, existing)
    except EstateError as wrong:
        tell(*map(str, wrong.problems))
        sys.exit(2)
    records = _read(access)
    seen = ExistingEstate.none() if existing is None else existing
    choice = choose(records.mailboxes, everything=everything, also=seen.mailboxes)
    draft = drafted(records, choice, access.written, given, everything=everything, also=seen.profiles, taken=seen.variables)
    _tell_rows(draft, choice)
    if not draft.mailboxes:
        tell("Dynamics shows this account no mailbox that server-side synchronization serves; --all takes the others. Nothing was written.")
        sys.exit(3)
    if existing is None or update:
        agreed |= agreed_hosts(draft, known_hosts(seen.tables) | agreed)
    if existing is None or output_file is None:
        _write_new(draft, agreed, named, output_file)
        sys.exit(0)
    sys.exit(_settle(compared(existing, draft, agreed), output_file, update=update))


def _answers(given: Sequence[str]) -> dict[str, str | bool]:
    from probe.config import wrong_value
    from probe.importing import QUESTIONS

    found: dict[str, str | bool] = {}
    wrong = []
    for answer in given:
        key, equals, words = answer.partition("=")
        key = key.removeprefix("deployment.")
        value = {"true": True, "false": False}.get(words, words)
        if not equals or key not in QUESTIONS:
            wrong.append(f"--answer takes KEY=VALUE, with KEY one of {', '.join(QUESTIONS)}")
        elif why := wrong_value("deployment", key, value):
            wrong.append(f"--answer {key}: {why}")
        else:
            found[key] = value
    if wrong:
        raise WrongArguments(dict.fromkeys(wrong))
    return found


def _host(name: str) -> str:
    from probe.model.estate import authority_endpoint

    try:
        return authority_endpoint(name).host
    except ValueError as wrong:
        raise click.UsageError(f"--trust-host: {wrong}") from None


def _existing(file: Path | None) -> ExistingEstate | None:
    from probe.config import read_text
    from probe.importing import read_existing

    if file is None or not file.exists():
        return None
    return read_existing(read_text(file), str(file))


def _access(url: str, signing_in: Mapping[str, Any], existing: ExistingEstate | None) -> ImportAccess:
    """How Dynamics is signed in to: as the options say, and where they do not, as an estate that is there has it for the same address."""
    from probe.importing import access_to

    given = {
        "authentication": signing_in["authentication"],
        "username": signing_in["username"],
        "password": signing_in["password"],
        "token_url": signing_in["token_url"],
        "client_id": signing_in["client_id"],
        "ca": None if signing_in["ca_file"] is None else str(signing_in["ca_file"]),
        "plain_http": signing_in["plain_http"] or None,
    }
    return access_to(url, {key: value for key, value in given.items() if value is not None}, existing)


def _read(access: ImportAccess) -> ImportedRecords:
    from functools import partial

    from probe import app
    from probe.config import SecretUnavailable
    from probe.memory import default_folder
    from probe.net.failures import expected

    options = app.Options(state=default_folder, warn=lambda sentence: tell(f"probe: {sentence}"))
    try:
        with _progress() as progress:
            return app.complete(partial(app.read_organization, access.access, access.authorities, options, progress))
    except SecretUnavailable as unavailable:
        raise click.UsageError(f"dynamics.password: {unavailable}") from None
    except Exception as failed:
        if (known := expected(failed)) is None:
            raise
        tell(f"Dynamics could not be read ({known[0]}): {known[1]}")
        sys.exit(3)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Tells a person who looks on how many mailboxes have come."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("reading mailboxes: {task.completed}"), TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda count: bar.update(task, completed=count)


def _tell_rows(draft: EstateDraft, choice: MailboxSelection) -> None:
    """Which rows are not in the estate, and how many there are of each kind."""
    tell(*draft.told[:_MOST_TOLD])
    if len(draft.told) > _MOST_TOLD:
        tell(f"and {len(draft.told) - _MOST_TOLD} more rows that were left out")
    if choice.counts:
        tell("Of the mailboxes in Dynamics: " + ", ".join(f"{kind} {count}" for kind, count in choice.counts))


def agreed_hosts(draft: EstateDraft, trusted: frozenset[str]) -> frozenset[str]:
    """New hosts that a person says yes to; nobody is asked where nobody can answer."""
    from probe.importing import sent_where

    found, refused = set(), []
    for sent in sent_where(draft, trusted):
        tell(f"{sent.host} is new to this estate. It would be sent:", *(f"  {what}" for what in sent.what))
        if sys.stdin.isatty() and sys.stderr.isatty() and click.confirm("May it be sent that?", default=False, err=True):
            found.add(sent.host)
        else:
            refused.append(sent.host)
    if refused:
        tell(f"Until somebody agrees, the estate refers to none of it: {' '.join(f'--trust-host {host}' for host in refused)}")
    return frozenset(found)


def _write_new(draft: EstateDraft, agreed: frozenset[str], url: str, file: Path | None) -> None:
    from probe.document.telling.words import count
    from probe.importing import estate_text, wanted

    text = estate_text(draft, agreed, url)
    if file is None:
        write_result([text], is_utf8=True)
    else:
        write_file(file, [text])
    open_questions = [line.key for line in draft.deployment.lines if line.value is None]
    open_questions += [f'{line.key} of {table.kind} "{table.name}"' for table in draft.tables for line in wanted(table)]
    written = (count(len(draft.profiles), "profile", "profiles"), count(len(draft.mailboxes), "mailbox", "mailboxes"))
    tell(f"Written: {' and '.join(written)}.")
    if open_questions:
        tell(f"No record answers these, and the estate loads once they are written: {', '.join(open_questions[:_MOST_TOLD])}")


def _settle(merge: EstateMerge, file: Path, *, update: bool) -> int:
    """Show what differs, and write it where that was asked for. Gives the exit code."""
    from probe.importing import NotUpdated

    write_result([f"{line}\n" for line in merge.lines()])
    if merge.is_equal:
        tell(f"{file} has what Dynamics has.")
        return 0
    if not update:
        tell(f"{file} was left as it is; --update takes over what Dynamics has.")
        return 1
    try:
        text = merge.text()
    except NotUpdated as not_updated:
        tell(f"{file}: {not_updated}")
        return 2
    write_file(file, [text])
    tell(f"{file} is updated" + ("; what was held back is as it was." if merge.holds_back else "."))
    return 1 if merge.holds_back else 0

"""A remedy as a template: its paragraphs, its commands, and the names that a case fills in.

A rule writes its remedy once for everybody. In it, `ACCOUNT`, `HOST` and the other members of `Name` stand for values of
the case. Where no case is known, as in `probe rules ID`, the capitals stay. A paragraph that begins
with `At`, the name of an audience and a colon is for that server or provider alone. What stands in backticks and
begins with a command is a line to be pasted into PowerShell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum

from probe.model.values import dataclass


class Name(StrEnum):
    """What a remedy may name in capitals: a closed list."""

    ADDRESS = "ADDRESS"
    """Address of the mailbox."""
    ACCOUNT = "ACCOUNT"
    """User name that signs in for the mailbox."""
    ENDPOINT = "ENDPOINT"
    """URL of the endpoint that the finding is about, as `probe look` takes it."""
    HOST = "HOST"
    PORT = "PORT"
    SERVICES = "SERVICES"
    """What Exchange calls the endpoint's service where a certificate is enabled: IIS, POP, IMAP or SMTP."""
    WINDOWS = "WINDOWS"
    """The Windows of the deployment, as `probe look --fips` takes it."""
    CERTIFICATE = "CERTIFICATE"
    """Subject and end of the certificate that is sent now. A peer's words: never within a command."""
    THUMBPRINT = "THUMBPRINT"
    """Of a certificate that the reader chooses; nothing fills it in."""
    FILE = "FILE"
    """A file of the reader's."""


BY_READER = frozenset({Name.THUMBPRINT, Name.FILE})
"""Names that no case fills in."""
SAID_BY_PEERS = frozenset({Name.CERTIFICATE})
"""Names whose value a server chose, so that it must not stand within a command."""


class Audience(StrEnum):
    """For whom a paragraph of a remedy may be: a closed list of products and providers."""

    EXCHANGE_SERVER = "Exchange Server"
    EXCHANGE_ONLINE = "Exchange Online"
    OUTLOOK_COM = "Outlook.com"
    GMAIL = "Gmail"
    YAHOO = "Yahoo and AOL"
    GMX = "GMX and WEB.DE"
    DOVECOT = "Dovecot"
    POSTFIX = "Postfix"


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a remedy: prose, or one command."""

    text: str
    is_command: bool = False


_NAME = re.compile(rf"(?<![\w-])({'|'.join(Name)})(?![\w-])")
_FOR = re.compile(rf"At ({'|'.join(map(re.escape, Audience))}): ")
# A cmdlet is called Verb-Noun; the others are programs that a remedy may name.
_COMMAND = re.compile(r"`((?:[A-Z][a-z]+-[A-Z]\w*|nslookup|certutil\.exe|probe)(?: [^`]+)?)`")
# What PowerShell takes for one word of text as it stands. The rest goes between quotes, among which it counts the curly ones too.
_BARE = re.compile(r"[A-Za-z0-9/][A-Za-z0-9._@:/\\+-]*\Z")
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
_MARKS = frozenset("`\n\r")
_MOST_VALUES = 3
"""How many values of a name are written out; whose names these are is told beside the remedy."""


def names_in(text: str) -> frozenset[Name]:
    """The names that a text leaves to be filled in."""
    return frozenset(map(Name, _NAME.findall(text)))


def filled(remedy: str, values: Mapping[Name, Sequence[str]], audiences: Collection[Audience] | None = None) -> str:
    """The remedy of one case. A name of several values repeats its command; paragraphs for others than the audiences are left out.

    What is not known is left as it stands: names without a value in capitals, and without audiences every paragraph. So is a name
    whose value holds what marks commands and paragraphs, or a server could write commands by its certificate.
    """
    values = {name: [value for value in of_it if not _MARKS & set(value)] for name, of_it in values.items()}
    paragraphs = [p for p in remedy.split("\n") if audiences is None or (whose := audience_of(p)) is None or whose in audiences]
    return "\n".join(_filled(paragraph, values) for paragraph in paragraphs)


def audience_of(paragraph: str) -> Audience | None:
    """For whom a paragraph is; None where it is for everybody."""
    found = _FOR.match(paragraph)
    return Audience(found.group(1)) if found else None


def steps(paragraph: str) -> Iterator[Step]:
    """The prose and the commands of a paragraph, in their order, without the marks between them."""
    for place, piece in enumerate(_COMMAND.split(paragraph)):
        if place % 2:
            yield Step(piece, is_command=True)
        elif text := (piece.lstrip(" .,;") if place else piece).strip():
            yield Step(text)


def first_sentence(remedy: str) -> str:
    """What is to be done, in one sentence; the command itself where the sentence is no more than the word before it."""
    paragraph = _FOR.sub("", remedy.split("\n")[0], count=1)
    return re.split(r"(?<=[.;]) (?=[A-Z`])|: (?=`)", paragraph, maxsplit=1)[0].rstrip(".;") + "."


def _filled(paragraph: str, values: Mapping[Name, Sequence[str]]) -> str:
    pieces = []
    for place, piece in enumerate(_COMMAND.split(paragraph)):
        if place % 2:
            commands = dict.fromkeys(_once_each(piece, values))
            pieces.append(" ".join(f"`{command}`" for command in commands))
        else:
            pieces.append(_NAME.sub(lambda found: _listed(values.get(Name(found.group())), found.group()), piece))
    return "".join(pieces)


def _once_each(command: str, values: Mapping[Name, Sequence[str]]) -> Iterator[str]:
    """The command for each value of its names. Names of equally many values go together, as host and port do."""
    known = {name: values[name] for name in names_in(command) if values.get(name)}
    for turn in range(min(max(map(len, known.values()), default=1), _MOST_VALUES)):
        of_turn = {name: of_it[min(turn, len(of_it) - 1)] for name, of_it in known.items()}
        yield _NAME.sub(lambda found, of_turn=of_turn: _word(of_turn.get(Name(found.group())), found.group()), command)  # type: ignore[misc]


def _word(value: str | None, otherwise: str) -> str:
    return otherwise if value is None else word_of(value)


def word_of(value: str) -> str:
    """The value as one word of PowerShell."""
    return value if _BARE.match(value) else "'" + _QUOTES.sub(r"\1\1", value) + "'"


def _listed(values: Sequence[str] | None, otherwise: str) -> str:
    if not values:
        return otherwise
    shown = list(dict.fromkeys(values))
    more = len(shown) - _MOST_VALUES
    return " and ".join(shown) if more <= 0 else ", ".join(shown[:_MOST_VALUES]) + f" and {more:,} more"

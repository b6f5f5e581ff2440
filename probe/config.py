"""Reading an estate: from the operator's TOML to the model, with every mistake named at once.

tomllib gives the values but no positions, so tree-sitter gives those, and only once there is something to complain of.
pydantic judges each table by itself; what spans several keys or tables is judged on the values as written, so that one
mistake never hides another. No message repeats a value that may be a secret. Secrets are resolved when they are needed.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Deployment,
    DeploymentKind,
    Effect,
    Endpoint,
    Estate,
    Location,
    Mailbox,
    Secret,
    SecretReference,
    ServerProfile,
    ServerType,
    Service,
)

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["EstateError", "Problem", "SecretUnavailable", "example_estate", "load_estate", "read_estate", "resolve"]

MOST_ESTATE_BYTES = 16 * 1024 * 1024
"""An estate of 2,000 mailboxes takes 0.5 MiB; what is far larger is some other file."""
MOST_DOTS_IN_A_LINE = 1000
"""tomllib takes time by the square of the parts of a dotted key."""
MOST_SECRET_BYTES = 64 * 1024
"""Passwords and tokens are a few kilobytes at most; what is larger is some other file."""
MOST_NAMES_COMPARED = 200
"""difflib compares a misspelt name with each that is known; beyond this it would be felt."""

WINDOWS = tuple(f"windows-server-{release}" for release in ("2012-r2", "2016", "2019", "2022", "2025"))
"""The Windows releases whose TLS can be named in `runs_on`."""

_Path = tuple[str | int, ...]
_E = TypeVar("_E", bound=StrEnum)


# --- What goes wrong --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in an estate: where it stands, and what would be right."""

    file: str
    line: int | None
    """From 1; None where it is about the whole file."""
    key: str
    """As in `profile[0].incoming`; empty where no key can be named."""
    owner: str
    """The name of the table, as in `profile "corp"`; empty where it has none."""
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f"{self.key} ({self.owner})" if self.owner else self.key
        return ": ".join(part for part in (where, key, self.message) if part)


class EstateError(Exception):
    """An estate that cannot be taken, with every mistake in it, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class SecretUnavailable(Exception):
    """A secret is not where the estate says. The message holds neither the secret nor its place."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A mistake before its line is looked up."""

    path: _Path
    message: str
    is_missing: bool = False
    first: _Path | None = None
    """Where the same name stands already."""


# --- What a key may hold ----------------------------------------------------------------------------------


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _quoted(words: Iterable[str]) -> str:
    return _listed(f'"{word}"' for word in words)


def _near(word: str, known: Iterable[str]) -> str | None:
    """The one known word that was probably meant."""
    names = list(known)
    if len(word) > 64 or len(names) > MOST_NAMES_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(word.lower(), names, 1)), None)


def _one_of(given: object, allowed: Iterable[str], note: str = "") -> str:
    # The value is not repeated: `credentials = "hunter2"` is a likely mistake.
    words = list(allowed)
    if isinstance(given, str):
        if given in words:
            return given
        near = _near(given, words)
        if near and re.findall("[0-9]", near) == re.findall("[0-9]", given):  # 2008 was not meant to be 2025
            note = f'; did you mean "{near}"?{note}'
    raise ValueError(f"must be {_quoted(words)}{note}")


def _choice(kind: type[_E], *without: _E, note: str = "") -> PlainValidator:
    return PlainValidator(lambda given: kind(_one_of(given, [member for member in kind if member not in without], note)))


def _kind(given: object) -> DeploymentKind:
    if given == "online":
        raise ValueError('must be "on-premises"; "online" is refused until its rules exist')
    return DeploymentKind(_one_of(given, DeploymentKind))


def _runs_on(given: object) -> str:
    return _one_of(given, WINDOWS)


def _effect(given: object) -> Effect:
    if given == Effect.READS:
        raise ValueError('leave out "reads": reading is always allowed')
    return Effect(_one_of(given, [effect for effect in Effect if effect is not Effect.READS]))


def _authority(given: object) -> str:
    try:
        return Endpoint.parse(f"tls://{given}:443").host
    except ValueError:
        raise ValueError('must be a host name without scheme, port or path, as in "adfs.contoso.test"') from None


def _endpoint(*schemes: str) -> PlainValidator:
    def read(given: object) -> Endpoint:
        if isinstance(given, str) and "@" in given:  # wherever it stands, what is before it may be a password: nothing is repeated
            raise ValueError('must not carry a user name or password; name a secret with password = "env:NAME"')
        if not isinstance(given, str) or not given.lower().startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must be a URL that begins with {_listed(f'{scheme}://' for scheme in schemes)}")
        if " " in given or not given.isprintable():  # urllib drops control characters silently
            raise ValueError("must be a URL without spaces or control characters")
        return Endpoint.parse(given)

    return PlainValidator(read)


def _secret(given: object) -> SecretReference:
    return SecretReference.parse(given if isinstance(given, str) else "")


def _text(given: str) -> str:
    if not given.strip() or not given.isprintable() or len(given) > 256:
        raise ValueError("must be one line of text, of 1 to 256 characters")
    return given


def _version(given: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}", given):
        raise ValueError('must be a version in numbers, as in "9.1"')
    return given


def _address(given: str) -> str:
    local, _, domain = given.rpartition("@")
    try:
        Endpoint.parse(f"tls://{domain}:443")
    except ValueError:
        local = ""
    # RFC 5321 section 4.5.3.1: at most 64 before the @, 255 after it.
    if not re.fullmatch(r'[^\s@<>()",;:\\\x00-\x1f\x7f]{1,64}', local):
        raise ValueError('must be one mail address, as in "sales@contoso.test"')
    return given


_Text = Annotated[str, AfterValidator(_text)]
_Incoming = Annotated[Endpoint, _endpoint("https", "pop3", "pop3s", "imap", "imaps")]
_Outgoing = Annotated[Endpoint, _endpoint("https", "smtp", "smtps")]
_Reference = Annotated[SecretReference, PlainValidator(_secret)]
_EWS = "https://mail.contoso.test/EWS/Exchange.asmx"
_UNSEEN = "no wire can show it, so it must be answered"


def _key(meaning: str, example: object, **more: Any) -> Any:
    """A key of a table: what it means and an example, both for messages; required unless it has a default."""
    return Field(description=meaning, examples=[example], **more)


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Deployment(_Table):
    name: _Text = _key("what you call the Dynamics organization", "contoso-crm")
    kind: Annotated[DeploymentKind, PlainValidator(_kind)] = _key("where Dynamics runs", "on-premises")
    version: Annotated[str, AfterValidator(_version)] = _key("the version of Dynamics", "9.1")
    runs_on: Annotated[str, PlainValidator(_runs_on)] = _key("the Windows that speaks TLS to the mail servers", "windows-server-2019")
    fips: bool = _key(f"whether the Windows FIPS policy is on; {_UNSEEN}", False)
    mass_email: bool = _key(f"whether mass mailings are sent; {_UNSEEN}", False)
    custom_email_providers: bool = _key(f"whether custom email providers are in use; {_UNSEEN}", False)
    outlook_on_the_web_tracking: bool = _key(f"whether the Dynamics app for Outlook on the web is in use; {_UNSEEN}", False)
    outlook_manual_tracking: bool = _key(f"whether people track mail by hand in Outlook; {_UNSEEN}", False)
    allow: list[Annotated[Effect, PlainValidator(_effect)]] = _key("effects beyond reading", ["logs-in"], default=[])
    authorities: list[Annotated[str, PlainValidator(_authority)]] = _key("who may be sent a password", ["adfs.contoso.test"], default=[])


class _Profile(_Table):
    name: _Text = _key("the name of the email server profile", "corp")
    server_type: Annotated[ServerType, _choice(ServerType)] = _key(
        f"the server type of the profile, {_quoted(ServerType)}", "exchange-server"
    )
    incoming: _Incoming = _key("where mail is collected", _EWS)
    outgoing: _Outgoing | None = _key("where mail is sent", _EWS, default=None)
    autodiscover: bool = _key("whether Autodiscover finds the server", False, default=False)
    authentication: Annotated[Authentication, _choice(Authentication)] = _key("how it signs in", "ntlm", default=Authentication.AUTO)
    credentials: Annotated[Credentials, _choice(Credentials)] = _key(f"whose credentials are used, {_quoted(Credentials)}", "profile")
    impersonation: bool = _key("whether the account acts as each mailbox", True, default=False)
    username: _Text | None = _key("the account of the profile", "svc-crm@contoso.test", default=None)
    password: _Reference | None = _key("where its password is kept", "env:CRM_EWS_PASSWORD", default=None)
    fips_validated: _Text | None = _key("the certificate of the mail server's module", "CMVP #4282", default=None)


_ONLY_INCOMING = '; "forward" is for incoming mail alone'
_NOT_FORWARD = _quoted(word for word in Delivery if word is not Delivery.FORWARD)


class _Mailbox(_Table):
    address: Annotated[str, AfterValidator(_address)] = _key("the mail address of the mailbox", "sales@contoso.test")
    profile: _Text = _key("the name of its email server profile", "corp")
    incoming: Annotated[Delivery, _choice(Delivery)] = _key(f"how mail comes in, {_quoted(Delivery)}", "server-side")
    outgoing: Annotated[Delivery, _choice(Delivery, Delivery.FORWARD, note=_ONLY_INCOMING)] = _key(
        f"how mail goes out, {_NOT_FORWARD}", "server-side"
    )
    appointments: Annotated[Delivery, _choice(Delivery, Delivery.FORWARD, note=_ONLY_INCOMING)] = _key(
        f"how appointments, contacts and tasks go, {_NOT_FORWARD}", "server-side"
    )
    username: _Text | None = _key("its own account", "sales@contoso.test", default=None)
    password: _Reference | None = _key("where its password is kept", "file:/run/secrets/sales", default=None)
    location: Annotated[Location, _choice(Location)] | None = _key("where the mailbox lives", "on-premises", default=None)
    mfa: bool | None = _key("whether its account needs multi-factor authentication", True, default=None)


class _Estate(_Table):
    deployment: _Deployment
    profile: list[_Profile] = Field(min_length=1)
    mailbox: list[_Mailbox] = Field(min_length=1)


_HEADINGS = {"deployment": "[deployment]", "profile": "[[profile]]", "mailbox": "[[mailbox]]"}
_TABLES: dict[str | int, type[_Table]] = {"deployment": _Deployment, "profile": _Profile, "mailbox": _Mailbox}


# --- What is wrong with the tables, in our words ----------------------------------------------------------


def _missing(path: _Path, data: dict[str, Any]) -> str:
    if len(path) == 1:
        return f"is missing; write a table headed {_HEADINGS[str(path[0])]}"
    field = _TABLES[path[0]].model_fields[str(path[-1])]
    return f"is missing: {field.description}; write it as in {path[-1]} = {_example(path)}"


def _unknown(path: _Path, data: dict[str, Any]) -> str:
    if near := _meant(path, data):
        return f"is not known here; did you mean {near if len(path) > 1 else _HEADINGS[near]}?"
    if len(path) == 1:
        return f"is not known here; an estate holds {_listed(_HEADINGS.values())}"
    return f"is not known here; the keys are {', '.join(_TABLES[path[0]].model_fields)}"


def _not_a_list(path: _Path, data: dict[str, Any]) -> str:
    if len(path) == 1:
        return f"must be headed with double brackets, {_HEADINGS[str(path[0])]}, since there may be several"
    return f"must be a list, as in {path[-1]} = {_example(path)}"


_SENTENCES: dict[str, Callable[[_Path, dict[str, Any]], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "list_type": _not_a_list,
    "bool_type": lambda path, data: "must be true or false, without quotes",
    "string_type": lambda path, data: f"must be text in quotes, as in {path[-1]} = {_example(path)}",
    "model_type": lambda path, data: f"must be a table, headed {_HEADINGS[str(path[0])]}",
    "too_short": lambda path, data: f"must hold at least one table, headed {_HEADINGS[str(path[0])]}",
}
"""pydantic's kinds of error that these tables can draw, in our words; our own sentences come as `value_error`."""


def _example(path: _Path) -> str:
    examples = _TABLES[path[0]].model_fields[str(path[-1])].examples or []
    return json.dumps(examples[0])


def _meant(path: _Path, data: dict[str, Any]) -> str | None:
    """The known key that a misspelt one was probably meant to be, one that is not there yet if there is such."""
    table: Any = data
    for part in path[:-1]:
        table = table[part]
    known = _HEADINGS if len(path) == 1 else _TABLES[path[0]].model_fields
    return _near(str(path[-1]), [key for key in known if key not in table]) or _near(str(path[-1]), known)


def _translated(error: ErrorDetails, data: dict[str, Any]) -> _Found:
    path, kind = error["loc"], error["type"]
    if kind == "value_error":
        return _Found(path, str(error["ctx"]["error"]))
    return _Found(path, _SENTENCES[kind](path, data), is_missing=kind == "missing")


# --- What is wrong between keys and tables ----------------------------------------------------------------


def _readable(value: object) -> bool:
    """Whether it can be somebody's name; what cannot has a message of its own."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _tables(data: dict[str, Any], heading: str) -> list[tuple[_Path, dict[str, Any]]]:
    listed = data.get(heading)
    return [((heading, i), table) for i, table in enumerate(listed if isinstance(listed, list) else ()) if isinstance(table, dict)]


def _repeated(data: dict[str, Any], heading: str, key: str, same: Callable[[str], str], message: str) -> Iterator[_Found]:
    first: dict[str, _Path] = {}
    for path, table in _tables(data, heading):
        if _readable(table.get(key)) and first.setdefault(same(table[key]), path) != path:
            yield _Found((*path, key), message, first=(*first[same(table[key])], key))


def _unknown_profiles(data: dict[str, Any]) -> Iterator[_Found]:
    names = [table["name"] for _, table in _tables(data, "profile") if _readable(table.get("name"))]
    if not names or len(names) != len(data["profile"]):
        return  # a mailbox may mean the profile whose name could not be read
    for path, table in _tables(data, "mailbox"):
        name = table.get("profile")
        if isinstance(name, str) and _readable(name) and name not in names:
            near = _near(name, names)
            meant = f"did you mean {json.dumps(near, ensure_ascii=False)}?" if near else "write its [[profile]], or name one that is there"
            yield _Found((*path, "profile"), f"names no profile of this estate; {meant}")


def _unfinished_profiles(data: dict[str, Any]) -> Iterator[_Found]:
    for path, table in _tables(data, "profile"):
        if "password" in table and "username" not in table:
            message = 'is missing: a password needs its account; write it as in username = "svc-crm@contoso.test"'
            yield _Found((*path, "username"), message, is_missing=True)
        try:
            sends = Endpoint.parse(str(table.get("incoming"))).service not in (Service.POP3, Service.IMAP)
        except ValueError:
            continue
        if not sends and "outgoing" not in table:
            message = 'is missing: POP3 and IMAP do not send; write it as in outgoing = "smtp://mail.contoso.test:587"'
            yield _Found((*path, "outgoing"), message, is_missing=True)


def _across(data: dict[str, Any]) -> Iterator[_Found]:
    yield from _repeated(data, "profile", "name", str, "is the name of another profile; give each its own")
    yield from _repeated(data, "mailbox", "address", str.casefold, "is listed already; list each mailbox once")
    yield from _unknown_profiles(data)
    yield from _unfinished_profiles(data)


# --- Where it stands --------------------------------------------------------------------------------------


def _keys(text: str) -> list[tuple[_Path, int]]:
    """Every key, table and array element with its line, in the order of lines; a key that is given twice comes twice."""
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    found: list[tuple[_Path, int]] = []
    counts: dict[_Path, int] = {}
    waiting: list[tuple[Node, _Path]] = []  # no recursion: a hostile file may be nested deeply
    for top in Parser(Language(tree_sitter_toml.language())).parse(text.encode(errors="replace")).root_node.named_children:
        prefix: _Path = ()
        if top.type in ("table", "table_array_element"):
            prefix = _named(top.named_children[0], prefix, counts, found)
        if top.type == "table_array_element":
            counts[prefix] = counts.get(prefix, 0) + 1
            prefix = (*prefix, counts[prefix] - 1)
            found.append((prefix, top.start_point.row + 1))
        waiting += [(pair, prefix) for pair in (top, *top.named_children) if pair.type == "pair"]
        while waiting:
            node, path = waiting.pop()
            inner = [child for child in node.named_children if child.type != "comment"]
            if node.type == "pair":
                waiting += [(value, _named(inner[0], path, counts, found)) for value in inner[1:2]]
            elif node.type == "inline_table":
                waiting += [(pair, path) for pair in inner if pair.type == "pair"]
            elif node.type == "array":
                found += [((*path, i), item.start_point.row + 1) for i, item in enumerate(inner)]
                waiting += [(item, (*path, i)) for i, item in enumerate(inner)]
    return sorted(found, key=lambda key: key[1])


def _named(key: Node, prefix: _Path, counts: dict[_Path, int], found: list[tuple[_Path, int]]) -> _Path:
    """The path that a key or heading names below a prefix; each part of it is noted as found."""
    parts, waiting = [], [key]
    while waiting:
        node = waiting.pop()
        if node.type == "dotted_key":
            waiting += node.named_children
        else:
            parts.append((node.text or b"").decode().strip("\"'"))
    path = prefix
    for part in reversed(parts):
        if path in counts:
            path = (*path, counts[path] - 1)  # below [[profile]], [profile.x] belongs to the last profile
        path = (*path, part)
        found.append((path, key.start_point.row + 1))
    return path


def _problems(found: Iterable[_Found], data: dict[str, Any], text: str, filename: str) -> Iterator[Problem]:
    lines: dict[_Path, int] = {(): 1}
    for path, line in _keys(text):
        lines.setdefault(path, line)
    for mistake in found:
        known = mistake.path
        while known not in lines:
            known = known[:-1]
        message = mistake.message
        if mistake.first:
            message += f" (first on line {lines.get(mistake.first, lines[()])})"
        yield Problem(filename, lines[known], _shown(mistake.path), _owner(mistake.path, data), message)


def _shown(path: _Path) -> str:
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part)
            shown += ("." if shown else "") + (part if plain else json.dumps(part[:64]))
    return shown


def _owner(path: _Path, data: dict[str, Any]) -> str:
    if len(path) < 2 or path[0] not in ("profile", "mailbox"):
        return ""
    table: Any = data[path[0]][path[1]]
    name = table.get("name" if path[0] == "profile" else "address") if isinstance(table, dict) else None
    return f"{path[0]} {json.dumps(name[:80], ensure_ascii=False)}" if isinstance(name, str) and _readable(name) else ""


# --- TOML -------------------------------------------------------------------------------------------------

_SYNTAX = {
    "Invalid value": "text stands in quotes, and true, false and numbers without",
    "Invalid statement": "a line is a heading such as [deployment], or a key, = and a value",
    "Expected '=' after a key in a key/value pair": "write key = value, as in fips = false",
    "Illegal character '\\n'": "text ends with the quote that it began with, on the same line",
    "Unterminated string": "text ends with the quote that it began with",
    "Unescaped '\\' in a string": "write a Windows path in single quotes",
    "Invalid hex value": "write a Windows path in single quotes",
}
"""What would be right, for the mistakes of tomllib that are likely in an estate."""


def _syntax_problem(wrong: ValueError, text: str, filename: str) -> Problem:
    said, _, place = str(wrong).rpartition(" (at ")
    if not said:  # an integer beyond Python's limit on digits: an error of int(), not of tomllib
        long = re.search(r"[0-9][0-9_]{4000}", text)
        line = text.count("\n", 0, long.start()) + 1 if long else None
        return Problem(filename, line, "", "", "is not TOML that can be read: a number is too long")
    number = re.match(r"line ([0-9]+)", place)
    line = int(number[1]) if number else text.rstrip().count("\n") + 1
    keys = _keys(text)
    path = next((path for path, at in reversed(keys) if at == line), ()) or _key_of_line(text, line, keys)
    lines = [at for same, at in keys if same == path and path]
    if len(lines) > 1 and said.startswith(("Cannot", "Duplicate")):
        several = f"; head each {path[0]} with {_HEADINGS[str(path[0])]}" if path in (("profile",), ("mailbox",)) else "; keep one"
        return Problem(filename, line, _shown(path), "", f"is given twice (first on line {lines[0]}){several}")
    hint = f"; {_SYNTAX[said]}" if said in _SYNTAX else ""
    return Problem(filename, line, _shown(path), "", f"is not TOML: {said[:1].lower()}{said[1:]}{hint}")


def _key_of_line(text: str, line: int, keys: list[tuple[_Path, int]]) -> _Path:
    """The key of a line that is not TOML, where it begins with a known one; found by its word and the heading above."""
    word = re.match(r"\s*([a-z_]+)", text.split("\n")[line - 1])
    above = next((path for path, at in reversed(keys) if at < line and path[0] in _TABLES), ())
    if word and above and word[1] in _TABLES[above[0]].model_fields:
        return (*above[: 1 if above[0] == "deployment" else 2], word[1])
    return ()


def _values(text: str, filename: str) -> dict[str, Any]:
    if text.startswith("\ufeff"):
        raise EstateError([Problem(filename, 1, "", "", "begins with a byte order mark; save the file as UTF-8 without one")])
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_DOTS_IN_A_LINE:
            raise EstateError([Problem(filename, number, "", "", f"holds more than {MOST_DOTS_IN_A_LINE} dots in a line; break it up")])
    try:
        return tomllib.loads(text)
    except RecursionError:
        wrong = "is nested too deeply; an estate needs two levels"
        problem = Problem(filename, None, "", "", wrong)
    except ValueError as error:
        problem = _syntax_problem(error, text, filename)
    raise EstateError([problem])


# --- The way in -------------------------------------------------------------------------------------------


def read_estate(text: str, filename: str) -> Estate:
    """The estate that a TOML text declares; `filename` is for messages. Raises EstateError with every mistake at once."""
    data = _values(text, filename)
    found = list(_across(data))
    meant: set[_Path] = set()
    try:
        read = _Estate.model_validate(data)
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False, include_input=False):
            found.append(_translated(error, data))
            if error["type"] == "extra_forbidden" and (near := _meant(error["loc"], data)):
                meant.add((*error["loc"][:-1], near))
    # A misspelt key is one mistake, not an unknown key and a missing one.
    found = [mistake for mistake in found if not (mistake.is_missing and mistake.path in meant)]
    if found:
        problems = _problems(found, data, text, filename)
        raise EstateError(sorted(problems, key=lambda problem: problem.line or 0))
    return Estate(
        deployment=Deployment(
            **{**dict(read.deployment), "allow": frozenset(read.deployment.allow), "authorities": tuple(read.deployment.authorities)}
        ),
        profiles=tuple(ServerProfile(**{**dict(profile), "outgoing": profile.outgoing or profile.incoming}) for profile in read.profile),
        mailboxes=tuple(Mailbox(**dict(mailbox)) for mailbox in read.mailbox),
    )


def load_estate(path: Path) -> Estate:
    """The estate in a file. Raises EstateError, also where the file cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_ESTATE_BYTES + 1)
    except (OSError, ValueError) as wrong:  # ValueError: a NUL in the name
        _refuse(path, None, f"cannot be read: {_reason(wrong)}")
    if len(content) > MOST_ESTATE_BYTES:
        _refuse(path, None, f"is larger than {MOST_ESTATE_BYTES // 1024 // 1024} MiB, so it is not an estate")
    try:
        text = content.decode()
    except UnicodeDecodeError as wrong:
        _refuse(path, content.count(b"\n", 0, wrong.start) + 1, "is not UTF-8; save the file as UTF-8")
    return read_estate(text, str(path))


def _reason(wrong: OSError | ValueError) -> str:
    """Why a file cannot be opened, without its name."""
    return (getattr(wrong, "strerror", None) or "its name is not valid").lower()


def _refuse(path: Path, line: int | None, message: str) -> NoReturn:
    raise EstateError([Problem(str(path), line, "", "", message)]) from None


def example_estate() -> str:
    """The text of the commented example: from the installed package, else from the source tree."""
    installed = resources.files("probe.data") / "estate.example.toml"
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    return (Path(__file__).parents[1] / "config" / "estate.example.toml").read_text(encoding="utf-8")


# --- Secrets ----------------------------------------------------------------------------------------------


def resolve(reference: SecretReference) -> Secret:
    """The secret that a reference names, looked up now. Raises SecretUnavailable, which repeats nothing of it."""
    value = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}[reference.kind](reference.locator)
    if not value:
        raise SecretUnavailable(f"the {_PLACES[reference.kind]} that the estate names for a secret is not set, or is empty")
    if any("\ud800" <= character <= "\udfff" for character in value):  # what os.environ makes of bytes that are not UTF-8
        raise SecretUnavailable(f"the {_PLACES[reference.kind]} that the estate names for a secret does not hold UTF-8")
    return Secret(value)


_PLACES = {"env": "environment variable", "file": "file", "keyring": "keyring entry"}


def _from_environment(name: str) -> str:
    return os.environ.get(name, "")


def _from_file(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            content = file.read(MOST_SECRET_BYTES + 1)
    except (OSError, ValueError) as wrong:
        raise SecretUnavailable(f"the file that the estate names for a secret cannot be read: {_reason(wrong)}") from None
    if len(content) > MOST_SECRET_BYTES:
        raise SecretUnavailable(f"the file that the estate names for a secret is larger than {MOST_SECRET_BYTES // 1024} KiB")
    # A byte order mark is what PowerShell writes, and no part of a password. What is not UTF-8 becomes surrogates, refused
    # above: a UnicodeDecodeError would carry the content along.
    return content.decode("utf-8-sig", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _from_keyring(locator: str) -> str:
    import keyring  # it looks for its backends when it is imported
    import keyring.errors

    service, _, user = locator.partition("/")
    try:
        return keyring.get_password(service, user) or ""
    except keyring.errors.NoKeyringError:
        reason = "this machine has no keyring that can be used"
    except keyring.errors.KeyringError as wrong:
        reason = f"the keyring did not answer ({type(wrong).__name__})"
    raise SecretUnavailable(f"the keyring entry that the estate names for a secret cannot be read: {reason}")

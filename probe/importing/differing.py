"""An estate that is there beside the draft of what Dynamics has: what differs, and the estate with Dynamics' values, its comments and other keys kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from probe.config import EstateError, Problem, read_tables
from probe.importing.tables import EstateDraft, ImportedTable, Value
from probe.importing.trust import SECRETS, all_trusted, carries, host_of, known_hosts
from probe.importing.writing import table_lines, written
from probe.model.characters import visible
from probe.model.estate import Authentication, Credentials, Endpoint, OrganizationUrl, Service
from probe.model.values import dataclass

_DEFAULTS: Mapping[str, Value] = {
    "autodiscover": False,
    "authentication": str(Authentication.AUTO),
    "impersonation": False,
}
_DEFAULTS_OF_DYNAMICS: Mapping[str, Value] = {"authentication": str(Authentication.NEGOTIATE), "plain_http": False}
_ENDPOINTS = ("incoming", "outgoing", "ews_url")
_OUTGOING = "outgoing_"


class NotUpdated(Exception):
    """An estate whose text cannot be changed without harm; the message says why."""


@dataclass(frozen=True, slots=True)
class ExistingEstate:
    """An estate that is there, which may have open questions."""

    text: str
    tables: Mapping[str, Any]
    """As TOML has them."""

    @classmethod
    def none(cls) -> ExistingEstate:
        """What is there where nothing is."""
        return cls("", {})

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        """The tables of a kind of which there may be several."""
        return list(self.tables.get(kind, ()))

    @property
    def one(self) -> Mapping[str, Any]:
        """[deployment]."""
        found: Mapping[str, Any] = self.tables.get("deployment", {})
        return found

    @property
    def mailboxes(self) -> frozenset[str]:
        """Ids and folded addresses of its mailboxes."""
        return frozenset(str(table.get(key, "")).casefold() for table in self.all("mailbox") for key in ("id", "address")) - {""}

    @property
    def profiles(self) -> frozenset[str]:
        """The names of its profiles."""
        return frozenset(str(table.get("name")) for table in self.all("profile"))

    @property
    def variables(self) -> frozenset[str]:
        """Names of environment variables that it refers to."""
        values = (table.get(key) for kind in ("profile", "mailbox") for table in self.all(kind) for key in SECRETS)
        return frozenset(value.removeprefix("env:") for value in values if isinstance(value, str) and value.startswith("env:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDifference:
    """A key that Dynamics has otherwise than the estate."""

    kind: str
    at: int
    """Which of the tables of its kind."""
    name: str
    key: str
    ours: Value | None
    """None: the estate does not have it."""
    theirs: Value
    held: str = ""
    """Why it is not taken over; empty where it can be."""

    def __str__(self) -> str:
        where = f'{self.kind} "{visible(self.name)}"' if self.name else self.kind
        if self.key in SECRETS:
            return f"{where}: {self.key} is not there"
        has = "is not there" if self.ours is None else f"is {visible(written(self.ours))}"
        return f"{where}: {self.key} {has}, and {visible(written(self.theirs))} by Dynamics{self.held and f'; {self.held}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateMerge:
    """What differs, and the estate that would come of it."""

    existing: ExistingEstate
    differences: tuple[KeyDifference, ...] = ()
    new: tuple[tuple[ImportedTable, frozenset[str]], ...] = ()
    """Tables that the estate lacks, each with the hosts to which its credentials go."""
    held: tuple[str, ...] = ()
    """A sentence on each table that the estate lacks and does not get."""
    gone: tuple[str, ...] = ()
    """A sentence on each table that Dynamics has not; it stays."""
    trusted: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_equal(self) -> bool:
        """Whether Dynamics has nothing that the estate has not."""
        return not self.differences and not self.new and not self.held

    @property
    def holds_back(self) -> bool:
        """Whether something is not taken over, since it would send credentials to a host that is new."""
        return bool(self.held) or any(one.held for one in self.differences)

    def lines(self) -> Iterator[str]:
        """What differs, a line each."""
        yield from map(str, self.differences)
        yield from (_missing(table) for table, _ in self.new)
        yield from self.held
        yield from self.gone

    def text(self) -> str:
        """The estate with what is not held back. Raises NotUpdated."""
        return _merged(self)


def _missing(table: ImportedTable) -> str:
    name = f' "{visible(table.name)}"' if table.name else ""
    return f"{table.kind}{name}: is not there, and Dynamics has it"


def read_existing(text: str, filename: str) -> ExistingEstate:
    """The estate that a text holds. Raises EstateError where it holds mistakes other than open questions."""
    tables = read_tables(text, filename)
    if not isinstance(tables.get("deployment"), dict):
        raise EstateError([Problem(filename, None, "deployment", "", "is missing, so that this is not an estate; name another file")])
    return ExistingEstate(text, tables)


def compared(existing: ExistingEstate, draft: EstateDraft, agreed: frozenset[str]) -> EstateMerge:
    """What the draft has otherwise. `agreed` are hosts that somebody said yes to just now."""
    return _Comparison(existing, draft, agreed).merge()


class _Comparison:
    def __init__(self, existing: ExistingEstate, draft: EstateDraft, agreed: frozenset[str]) -> None:
        self._existing = existing
        self._draft = draft
        self._agreed = agreed
        self._trusted = known_hosts(existing.tables) | agreed
        self._profiles = {table.get("name"): (at, table) for at, table in enumerate(existing.all("profile"))}
        self._drafted = {profile.name: profile for profile in draft.profiles}
        own = {table.get("profile") for table in existing.all("mailbox") if "password" in table}
        self._carrying = {name for name, (_, table) in self._profiles.items() if carries(table) or name in own}
        self._held_profiles: set[str] = set()
        self._differences: list[KeyDifference] = []
        self._new: list[tuple[ImportedTable, frozenset[str]]] = []
        self._held: list[str] = []

    def merge(self) -> EstateMerge:
        self._deployment()
        self._dynamics()
        for profile in self._draft.profiles:
            self._profile(profile)
        mailboxes = self._existing.all("mailbox")
        by_id = {str(table["id"]).lower(): at for at, table in enumerate(mailboxes) if "id" in table}
        by_address = {str(table.get("address", "")).casefold(): at for at, table in enumerate(mailboxes)}
        met: set[int] = set()
        for mailbox in self._draft.mailboxes:
            at = by_id.get(str(mailbox.value("id")), by_address.get(mailbox.name.casefold()))
            if at is None:
                self._new_mailbox(mailbox)
            else:
                met.add(at)
                self._mailbox(mailbox, at, mailboxes[at])
        gone = [f'profile "{visible(str(name))}": Dynamics has none of that name' for name in self._profiles if name not in self._drafted]
        gone += [
            f'mailbox "{visible(str(table.get("address")))}": Dynamics has none that would be written'
            for at, table in enumerate(mailboxes)
            if at not in met
        ]
        return EstateMerge(
            existing=self._existing,
            differences=tuple(self._differences),
            new=tuple(self._new),
            held=tuple(self._held),
            gone=tuple(gone),
            trusted=self._trusted,
        )

    def _deployment(self) -> None:
        ours = self._existing.one
        for line in self._draft.deployment.lines:
            given = ours.get(line.key)
            theirs = line.value
            if theirs is None or (line.key in ("name", "kind") and given is not None):
                continue
            if line.key == "authorities":
                listed = list(given) if isinstance(given, list) else []
                theirs = [*listed, *(name for name in theirs if name not in listed)] if isinstance(theirs, list) else listed
            if line.key == "version" and given is not None and f"{theirs}.".startswith(f"{given}."):
                continue  # the estate may name the edition alone
            if given != theirs:
                self._differ("deployment", 0, "", line.key, given, theirs)

    def _dynamics(self) -> None:
        ours, theirs = self._existing.tables.get("dynamics"), self._draft.dynamics
        if ours is None:
            self._new.append((theirs, frozenset()))
            return
        for line in theirs.lines:
            given = ours.get(line.key, _DEFAULTS_OF_DYNAMICS.get(line.key))
            if line.value is not None and not is_same(line.key, given, line.value):
                self._differ("dynamics", 0, "", line.key, given, line.value)

    def _profile(self, theirs: ImportedTable) -> None:
        if theirs.name not in self._profiles:
            integrated = Credentials.WINDOWS_INTEGRATED in (theirs.value("credentials"), theirs.value("outgoing_credentials"))
            if integrated and not all_trusted(theirs.hosts, self._trusted):
                self._held_profiles.add(theirs.name)
                self._held.append(f"{_missing(theirs)}; {self._strange(theirs.hosts)}")
            else:
                self._new.append((theirs, theirs.hosts))
            return
        at, ours = self._profiles[theirs.name]
        hosts = self._hosts(theirs.name)
        for line in theirs.lines:
            given = _given(ours, line.key)
            if line.is_secret:
                if line.key not in ours and hosts & self._agreed and all_trusted(hosts, self._trusted):
                    self._differ("profile", at, theirs.name, line.key, None, line.value)
            elif line.value is not None and not is_same(line.key, given, line.value):
                to = {host_of(line.value) or ""} if line.key in _ENDPOINTS and theirs.name in self._carrying else set()
                if line.value == Credentials.WINDOWS_INTEGRATED:
                    to = set(hosts)
                self._differ("profile", at, theirs.name, line.key, given, line.value, to)

    def _new_mailbox(self, theirs: ImportedTable) -> None:
        name = str(theirs.value("profile"))
        if name in self._held_profiles:
            self._held.append(f"{_missing(theirs)}; its profile was left out")
            return
        found = host_of(theirs.value("ews_url"))
        if name in self._carrying and found is not None and found not in self._trusted:
            self._held.append(f"{_missing(theirs)}; {self._strange({found})}")
            return
        self._new.append((theirs, self._hosts(name)))

    def _mailbox(self, theirs: ImportedTable, at: int, ours: Mapping[str, Any]) -> None:
        target, has_own = str(theirs.value("profile")), "password" in ours
        url = host_of(theirs.value("ews_url") or ours.get("ews_url"))
        carries_any = has_own or not {target, ours.get("profile")}.isdisjoint(self._carrying)
        for line in theirs.lines:
            given = ours.get(line.key)
            if line.is_secret:
                hosts = self._hosts(target)
                if line.key not in ours and hosts & self._agreed and all_trusted(hosts, self._trusted):
                    self._differ("mailbox", at, theirs.name, line.key, None, line.value)
                continue
            if line.value is None or is_same(line.key, given, line.value):
                continue
            to: set[str] = set()
            if line.key == "ews_url" and carries_any:
                to = {host_of(line.value) or ""}
            elif line.key == "profile":
                if target in self._held_profiles:
                    to = set(self._drafted[target].hosts)
                elif has_own or target in self._carrying:
                    to = set(self._hosts(target)) | ({url} if url else set())
            self._differ("mailbox", at, theirs.name, line.key, given, line.value, to)

    def _differ(self, kind: str, at: int, name: str, key: str, ours: Any, theirs: Value | None, to: Iterable[str] = ()) -> None:
        assert theirs is not None
        held = "" if all_trusted(to, self._trusted) else self._strange(to)
        self._differences.append(KeyDifference(kind=kind, at=at, name=name, key=key, ours=ours, theirs=theirs, held=held))

    def _hosts(self, name: str) -> frozenset[str]:
        """Every host to which the credentials of a profile go, by the estate and by Dynamics."""
        drafted = self._drafted[name].hosts if name in self._drafted else frozenset()
        _, ours = self._profiles.get(name, (0, {}))
        urls = [ours.get("incoming"), ours.get("outgoing")]
        urls += [table.get("ews_url") for table in self._existing.all("mailbox") if table.get("profile") == name]
        return drafted | {host for url in urls if (host := host_of(url))}

    def _strange(self, hosts: Iterable[str]) -> str:
        named = ", ".join(sorted(set(hosts) - self._trusted)[:5])
        return f"held back, because credentials of this estate would go to {named}, which is new to it; --trust-host allows it"


def _given(ours: Mapping[str, Any], key: str) -> Any:
    """What a profile of the estate has for a key, or means without it."""
    if key in ours:
        return ours[key]
    if key == "outgoing":
        return ours.get("incoming")
    return _given(ours, key.removeprefix(_OUTGOING)) if key.startswith(_OUTGOING) else _DEFAULTS.get(key)


def is_same(key: str, ours: Any, theirs: Value) -> bool:
    """Whether the estate says what Dynamics has. How TLS begins is the estate's to say, since Dynamics' records do not."""
    if ours is None or type(ours) is not type(theirs):
        return False
    try:
        if key in _ENDPOINTS and "://" in str(theirs):  # of a mailbox, incoming and outgoing are ways of delivery
            one, other = Endpoint.parse(str(ours)), Endpoint.parse(str(theirs))
            is_ews = one.service is Service.EWS
            return (one.service, one.host, one.port) == (other.service, other.host, other.port) and (
                not is_ews or one.path.casefold() == other.path.casefold()
            )
        if key == "url":
            return str(OrganizationUrl.parse(str(ours))).casefold() == str(OrganizationUrl.parse(str(theirs))).casefold()
    except ValueError:
        return False
    if key in ("address", "id", "organization"):
        return str(ours).casefold() == str(theirs).casefold()
    return bool(ours == theirs)


def _merged(merge: EstateMerge) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(merge.existing.text)
        if tomlkit.dumps(document) != merge.existing.text:
            raise NotUpdated(
                "[[profile]] and [[mailbox]] tables are mixed in it, so comments would be misplaced; group the tables of each kind"
            )
        for one in merge.differences:
            if not one.held:
                table = document[one.kind]
                (table if one.kind in ("deployment", "dynamics") else table[one.at])[one.key] = one.theirs
        for added, hosts in merge.new:
            part: Any = tomlkit.parse("\n".join(table_lines(added, hosts, merge.trusted)) + "\n\n")[added.kind]
            if added.kind == "dynamics":
                document.add(added.kind, part)
            elif added.kind in document:
                before = document[added.kind][-1]
                if not before.as_string().endswith("\n\n"):
                    before.add(tomlkit.nl())
                document[added.kind].append(part[0])
            else:
                document.add(added.kind, part)
        text = tomlkit.dumps(document)
    except (TOMLKitError, TypeError, ValueError, KeyError, AttributeError) as wrong:
        raise NotUpdated(f"this file cannot be changed in place ({wrong}); write a new file") from wrong
    _check(merge, text)
    return text


def _check(merge: EstateMerge, text: str) -> None:
    """That the text is an estate, and has every table that it had and got. Raises NotUpdated."""
    try:
        tables = read_tables(text, "the estate")
    except EstateError as wrong:
        raise NotUpdated(f"this file cannot be changed in place: {wrong.problems[0]}") from wrong
    for kind in ("profile", "mailbox"):
        wanted = len(merge.existing.all(kind)) + sum(table.kind == kind for table, _ in merge.new)
        if len(tables.get(kind, ())) != wanted:
            raise NotUpdated(f"this file cannot be changed in place, because some of its [[{kind}]] tables would be lost; write a new file")

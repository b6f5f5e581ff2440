"""Dynamics' own records as values: what its tables hold, under names of ours, and nothing that is made of it.

Each field names the attribute that it is read from; the tables are told in "Email server profile", "Mailbox", "Trace log" of the entity reference
(learn.microsoft.com, dynamics365/customerengagement/on-premises/developer/entities, read 2026-11). None is a value that Dynamics gives as null;
what the server's table does not have, or did not give, is named in `absent` besides. Passwords are not among them: Dynamics gives none back, only
whether there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_type_hints

from probe.dynamics.failures import BadRecord
from probe.dynamics.options import Option, OptionSets
from probe.dynamics.values import Malformed, boolean, guid, integer, moment, text
from probe.model.values import dataclass

TABLE_OF = "@Microsoft.Dynamics.CRM.lookuplogicalname"
"""What a lookup is called with which the server says of which table the record is that it leads to."""


@dataclass(frozen=True, slots=True)
class Of:
    """The attribute that a field is read from."""

    attribute: str
    read: Callable[[Any], object] | None = None
    """None for a number out of an option set."""
    called: str = ""
    """What it is called in JSON, where it is called otherwise."""

    @property
    def member(self) -> str:
        """What it is called in JSON."""
        return self.called or self.attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every record has."""

    TABLE: ClassVar[str]
    """The logical name of its table."""
    SET: ClassVar[str]
    """What the Web API calls all of them."""

    id: str
    """Its GUID, in small letters."""
    absent: frozenset[str] = frozenset()
    """Attributes that the server's table does not have, or that it left out of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailServerProfile(Record):
    """An email server profile."""

    TABLE: ClassVar[str] = "emailserverprofile"
    SET: ClassVar[str] = "emailserverprofiles"

    name: Annotated[str | None, Of("name", text)] = None
    state: Annotated[int | None, Of("statecode", integer)] = None
    """0 active, 1 inactive."""
    server_type: Annotated[Option | None, Of("servertype")] = None
    exchange_version: Annotated[Option | None, Of("exchangeversion")] = None
    tenant: Annotated[str | None, Of("exchangeonlinetenantid", text)] = None
    uses_default_tenant: Annotated[bool | None, Of("usedefaulttenantid", boolean)] = None
    uses_autodiscover: Annotated[bool | None, Of("useautodiscover", boolean)] = None
    default_location: Annotated[str | None, Of("defaultserverlocation", text)] = None
    uses_incoming_for_outgoing: Annotated[bool | None, Of("usesamesettingsforoutgoingconnections", boolean)] = None
    """Whether the incoming endpoint's settings are those of both."""
    incoming_location: Annotated[str | None, Of("incomingserverlocation", text)] = None
    """Of Exchange the URL of EWS, else a host."""
    incoming_port: Annotated[int | None, Of("incomingportnumber", integer)] = None
    incoming_uses_ssl: Annotated[bool | None, Of("incomingusessl", boolean)] = None
    incoming_authentication: Annotated[Option | None, Of("incomingauthenticationprotocol")] = None
    incoming_credentials: Annotated[Option | None, Of("incomingcredentialretrieval")] = None
    incoming_uses_impersonation: Annotated[bool | None, Of("incominguseimpersonation", boolean)] = None
    incoming_username: Annotated[str | None, Of("incomingusername", text)] = None
    incoming_password_is_set: Annotated[bool | None, Of("isincomingpasswordset", boolean)] = None
    outgoing_location: Annotated[str | None, Of("outgoingserverlocation", text)] = None
    outgoing_port: Annotated[int | None, Of("outgoingportnumber", integer)] = None
    outgoing_uses_ssl: Annotated[bool | None, Of("outgoingusessl", boolean)] = None
    outgoing_authentication: Annotated[Option | None, Of("outgoingauthenticationprotocol")] = None
    outgoing_credentials: Annotated[Option | None, Of("outgoingcredentialretrieval")] = None
    outgoing_uses_impersonation: Annotated[bool | None, Of("outgoinguseimpersonation", boolean)] = None
    outgoing_username: Annotated[str | None, Of("outgoingusername", text)] = None
    outgoing_password_is_set: Annotated[bool | None, Of("isoutgoingpasswordset", boolean)] = None
    max_connections: Annotated[int | None, Of("maxconcurrentconnections", integer)] = None
    processes_mail_since: Annotated[datetime | None, Of("processemailsreceivedafter", moment)] = None
    """Mail that came before is left alone; a mailbox may have a time of its own, which goes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxRow(Record):
    """A mailbox as Dynamics has it."""

    TABLE: ClassVar[str] = "mailbox"
    SET: ClassVar[str] = "mailboxes"

    name: Annotated[str | None, Of("name", text)] = None
    address: Annotated[str | None, Of("emailaddress", text)] = None
    state: Annotated[int | None, Of("statecode", integer)] = None
    """0 active, 1 inactive."""
    profile: Annotated[str | None, Of("emailserverprofile", guid, "_emailserverprofile_value")] = None
    """The id of its email server profile."""
    regarding: Annotated[str | None, Of("regardingobjectid", guid, "_regardingobjectid_value")] = None
    """The id of the user or queue that it is of."""
    regarding_table: Annotated[str | None, Of("regardingobjectid", text, f"_regardingobjectid_value{TABLE_OF}")] = None
    """`systemuser` or `queue`."""
    is_forward_mailbox: Annotated[bool | None, Of("isforwardmailbox", boolean)] = None
    is_service_account: Annotated[bool | None, Of("isserviceaccount", boolean)] = None
    incoming_delivery: Annotated[Option | None, Of("incomingemaildeliverymethod")] = None
    outgoing_delivery: Annotated[Option | None, Of("outgoingemaildeliverymethod")] = None
    appointments_delivery: Annotated[Option | None, Of("actdeliverymethod")] = None
    incoming_status: Annotated[Option | None, Of("incomingemailstatus")] = None
    outgoing_status: Annotated[Option | None, Of("outgoingemailstatus")] = None
    appointments_status: Annotated[Option | None, Of("actstatus")] = None
    status: Annotated[Option | None, Of("mailboxstatus")] = None
    incoming_enabled: Annotated[bool | None, Of("enabledforincomingemail", boolean)] = None
    outgoing_enabled: Annotated[bool | None, Of("enabledforoutgoingemail", boolean)] = None
    appointments_enabled: Annotated[bool | None, Of("enabledforact", boolean)] = None
    approval: Annotated[Option | None, Of("emailrouteraccessapproval")] = None
    approved_by_office_365_admin: Annotated[bool | None, Of("isemailaddressapprovedbyo365admin", boolean)] = None
    test_scheduled: Annotated[bool | None, Of("testemailconfigurationscheduled", boolean)] = None
    """Whether Test & Enable was asked for, and has not run yet."""
    test_retries: Annotated[int | None, Of("testemailconfigurationretrycount", integer)] = None
    test_postponed_until: Annotated[datetime | None, Of("postponetestemailconfigurationuntil", moment)] = None
    test_completed: Annotated[datetime | None, Of("testmailboxaccesscompletedon", moment)] = None
    is_primary_flag_set: Annotated[bool | None, Of("isactsyncorgflagset", boolean)] = None
    is_primary_organization: Annotated[bool | None, Of("orgmarkedasprimaryforexchangesync", boolean)] = None
    may_use_own_credentials: Annotated[bool | None, Of("allowemailconnectortousecredentials", boolean)] = None
    username: Annotated[str | None, Of("username", text)] = None
    password_is_set: Annotated[bool | None, Of("ispasswordset", boolean)] = None
    ews_url: Annotated[str | None, Of("ewsurl", text)] = None
    """What Autodiscover found."""
    autodiscovered: Annotated[datetime | None, Of("lastautodiscoveredon", moment)] = None
    last_error: Annotated[str | None, Of("lastsyncerror", text)] = None
    last_error_code: Annotated[int | None, Of("lastsyncerrorcode", integer)] = None
    last_error_count: Annotated[int | None, Of("lastsyncerrorcount", integer)] = None
    last_error_at: Annotated[datetime | None, Of("lastsyncerroroccurredon", moment)] = None
    last_error_machine: Annotated[str | None, Of("lastsyncerrormachinename", text)] = None
    last_started: Annotated[datetime | None, Of("lastsyncstartedon", moment)] = None
    last_success: Annotated[datetime | None, Of("lastsuccessfulsynccompletedon", moment)] = None
    last_attempt: Annotated[datetime | None, Of("processinglastattemptedon", moment)] = None
    transient_failures: Annotated[int | None, Of("transientfailurecount", integer)] = None
    processing_postponed_until: Annotated[datetime | None, Of("postponemailboxprocessinguntil", moment)] = None
    sending_postponed_until: Annotated[datetime | None, Of("postponesendinguntil", moment)] = None
    receiving_postponed_until: Annotated[datetime | None, Of("receivingpostponeduntil", moment)] = None
    processes_mail_since: Annotated[datetime | None, Of("processemailreceivedafter", moment)] = None
    """Goes before the profile's, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLog(Record):
    """An alert."""

    TABLE: ClassVar[str] = "tracelog"
    SET: ClassVar[str] = "tracelogs"

    regarding: Annotated[str | None, Of("regardingobjectid", guid, "_regardingobjectid_value")] = None
    """The id of the mailbox or email server profile that it is about."""
    regarding_table: Annotated[str | None, Of("regardingobjectid", text, f"_regardingobjectid_value{TABLE_OF}")] = None
    level: Annotated[Option | None, Of("level")] = None
    status: Annotated[Option | None, Of("tracestatus")] = None
    code: Annotated[int | None, Of("tracecode", integer)] = None
    message: Annotated[str | None, Of("text", text)] = None
    error_type: Annotated[str | None, Of("errortypedisplay", text)] = None
    error_details: Annotated[str | None, Of("errordetails", text)] = None
    parameters: Annotated[str | None, Of("traceparameterxml", text)] = None
    details: Annotated[str | None, Of("tracedetailxml", text)] = None
    machine: Annotated[str | None, Of("machinename", text)] = None
    created: Annotated[datetime | None, Of("createdon", moment)] = None
    modified: Annotated[datetime | None, Of("modifiedon", moment)] = None
    """When the same trouble was last seen again."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said in it, for `probe.tables.alerts`."""
        return tuple(filter(None, (self.message, self.error_details, self.parameters, self.details)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Whose Web API it is."""

    id: str
    name: str
    """Its unique name."""
    version: str
    """Of Dynamics, as in `9.1.18.22`."""
    api: str
    """Version of the Web API that is spoken, as in `v9.1`."""
    user: str
    """The id of the user who is signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMail:
    """What waits to be sent from one mailbox."""

    mailbox: str | None
    """Its id; None for mail that no mailbox is named for."""
    count: int
    oldest: datetime | None
    """When the oldest of it was made."""


@dataclass(frozen=True, slots=True)
class MoreThan:
    """That there is more of something than Dynamics counts."""

    count: int


R = TypeVar("R", bound=Record)


def _attributes(kind: type[Record]) -> tuple[tuple[str, Of], ...]:
    """Each field of a kind of record that is read from an attribute, and which."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple((name, one) for name, hint in hints.items() for one in getattr(hint, "__metadata__", ()) if isinstance(one, Of))


class RecordReader(Generic[R]):
    """Reads the records of one table as the server has it: `known` are its attributes, `options` its option sets."""

    def __init__(self, kind: type[R], known: Iterable[str], options: OptionSets) -> None:
        there, wanted = set(known), _attributes(kind)
        self._kind = kind
        self._options = options
        self._read = tuple((name, one.attribute, one.member, one.read) for name, one in wanted if one.attribute in there)
        self._absent = frozenset(one.attribute for _, one in wanted if one.attribute not in there)
        self._id = f"{kind.TABLE}id"

    @property
    def select(self) -> str:
        """What `$select` asks for: the id and all that is read, as far as the server has it."""
        return ",".join(dict.fromkeys((self._id, *(member for _, _, member, _ in self._read if "@" not in member))))

    def record(self, row: Mapping[str, Any]) -> R:
        """One record. Raises BadRecord."""
        where, absent = "its id", self._absent
        try:
            found: dict[str, Any] = {"id": guid(row.get(self._id))}
            for name, attribute, member, read in self._read:
                value = row.get(member)
                if value is not None:
                    where = member
                    found[name] = self._options.option(attribute, integer(value)) if read is None else read(value)
                elif member not in row and "@" not in member:
                    absent |= {attribute}
        except Malformed as wrong:
            raise BadRecord(f"a record of {self._kind.TABLE} ({str(row.get(self._id))[:36]!r}) holds {wrong} as {where}") from None
        return self._kind(absent=absent, **found)

"""The entities that the Web API shows: their attributes, and the option sets, which differ between versions.

Names, option values and defaults are those of the developer's reference of Customer Engagement (on-premises), and for 9.1 the further
options of the online reference, since pages on 9.1 describe what needs them (IMAP/SMTP profiles).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_NAMESPACE = uuid.UUID("5b0e5b5a-1f0e-4f8e-9a53-3d3a6a3f7c10")


def made_id(*names: str) -> str:
    """An id that is always the same for the same names."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


Options = Mapping[int, str]
"""Labels by value."""

_STATE = {0: "Active", 1: "Inactive"}
_STATUS = {1: "Active", 2: "Inactive"}
_TEST_STATUS = {0: "Not Run", 1: "Success", 2: "Failure"}
_OUTCOME = {0: "Failure", 1: "Success"}

ENGLISH, GERMAN = 1033, 1031
"""Languages of users, as Windows numbers them."""

# Labels are in the user's language. Those that differ most from English test that nothing is read by its label.
_GERMAN_LABELS = {
    "Active": "Aktiv",
    "Approved": "Genehmigt",
    "Failure": "Fehler",
    "Forward Mailbox": "Weiterleitungspostfach",
    "Inactive": "Inaktiv",
    "None": "Keine",
    "Not Run": "Nicht ausgeführt",
    "Other (POP3/SMTP)": "Sonstige (POP3/SMTP)",
    "Server-Side Synchronization": "Serverseitige Synchronisierung",
    "Success": "Erfolg",
    "Yes": "Ja",
    "No": "Nein",
}


def in_language(label: str, language: int) -> str:
    """A label as users of a language read it."""
    return _GERMAN_LABELS.get(label, label) if language == GERMAN else label


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribute:
    """One attribute as the metadata has it."""

    name: str
    kind: str
    """The type in the metadata, without `AttributeMetadata`: `String`, `Picklist`, `Lookup` …; answers have no `Virtual` ones."""
    default: Any = None
    options: Options | None = None
    later: Options | None = None
    """What 9.1 adds to the options."""
    readable: bool = True
    writable: bool = False
    since: tuple[int, int] = (9, 0)

    @property
    def property_name(self) -> str:
        """Its name in answers, in $select and in $filter."""
        return f"_{self.name}_value" if self.kind in ("Lookup", "Owner", "Customer") else self.name

    @property
    def is_shown(self) -> bool:
        """Whether it is a property of the type at all."""
        return self.readable and self.kind != "Virtual"

    def options_in(self, version: tuple[int, int]) -> Options | None:
        """The options of a version, None where it has none."""
        if self.options is None:
            return None
        return {**self.options, **(self.later or {})} if version >= (9, 1) else self.options


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """One entity."""

    name: str
    set_name: str
    code: int
    """Its ObjectTypeCode."""
    read_privilege: str
    attributes: tuple[Attribute, ...]
    write_privilege: str = ""

    def in_version(self, version: tuple[int, int]) -> tuple[Attribute, ...]:
        """The attributes that a version knows."""
        return tuple(attribute for attribute in self.attributes if attribute.since <= version)

    @property
    def key(self) -> str:
        """The attribute of its id."""
        return f"{self.name}id"


def _id(name: str) -> Attribute:
    return Attribute(name=name, kind="Uniqueidentifier")


def _text(name: str, *, readable: bool = True, writable: bool = True, since: tuple[int, int] = (9, 0), kind: str = "String") -> Attribute:
    return Attribute(name=name, kind=kind, readable=readable, writable=writable, since=since)


def _number(name: str, default: int | None = None, *, writable: bool = False) -> Attribute:
    return Attribute(name=name, kind="Integer", default=default, writable=writable)


def _flag(name: str, default: bool = False, *, writable: bool = False) -> Attribute:
    return Attribute(name=name, kind="Boolean", default=default, options={0: "No", 1: "Yes"}, writable=writable)


def _time(name: str, *, writable: bool = False) -> Attribute:
    return Attribute(name=name, kind="DateTime", writable=writable)


def _choice(name: str, default: int | None, options: Options, later: Options | None = None, *, writable: bool = True) -> Attribute:
    return Attribute(name=name, kind="Picklist", default=default, options=options, later=later, writable=writable)


def _lookup(name: str, *, kind: str = "Lookup") -> Attribute:
    return Attribute(name=name, kind=kind, writable=True)


def _common() -> Iterator[Attribute]:
    yield Attribute(name="statecode", kind="State", default=0, options=_STATE, writable=True)
    yield Attribute(name="statecodename", kind="Virtual")
    yield Attribute(name="statuscode", kind="Status", default=1, options=_STATUS, writable=True)
    yield _time("createdon")
    yield _time("modifiedon")
    yield _lookup("ownerid", kind="Owner")
    yield Attribute(name="versionnumber", kind="BigInt", default=1)


_AUTHENTICATION = {0: "Auto Detect", 1: "Negotiate", 2: "NTLM", 3: "Basic"}
_CREDENTIALS = {
    0: "Credentials Specified by a User or Queue",
    1: "Credentials Specified in Email Server Profile",
    2: "Server to Server Authentication",
    3: "Windows Integrated Authentication",
    4: "Without Credentials (Anonymous)",
}
_CREDENTIALS_LATER = {5: "Gmail OAuth", 6: "Exchange Hybrid Modern Auth (HMA)"}

PROFILE = Entity(
    "emailserverprofile",
    "emailserverprofiles",
    9605,
    "prvReadEmailServerProfile",
    (
        _id("emailserverprofileid"),
        _text("name"),
        *_common(),
        _choice(
            "servertype",
            0,
            {0: "Exchange Server", 1: "Other (POP3/SMTP)", 2: "Exchange Server (Hybrid)", 3: "Exchange Online (Hybrid)"},
            {4: "IMAP/SMTP"},
        ),
        _choice(
            "exchangeversion",
            5,
            {
                0: "Exchange 2007",
                1: "Exchange 2007 SP1",
                2: "Exchange 2010",
                3: "Exchange 2010 SP1",
                4: "Exchange 2010 SP2",
                5: "Exchange 2013",
            },
        ),
        _text("exchangeonlinetenantid"),
        _flag("usedefaulttenantid", True, writable=True),
        _flag("useautodiscover", writable=True),
        _text("defaultserverlocation"),
        _text("incomingserverlocation"),
        _text("outgoingserverlocation"),
        _number("incomingportnumber", writable=True),
        _number("outgoingportnumber", writable=True),
        _flag("incomingusessl", True, writable=True),
        _flag("outgoingusessl", True, writable=True),
        _choice("incomingauthenticationprotocol", 0, _AUTHENTICATION, {4: "OAuth"}),
        _choice("outgoingauthenticationprotocol", 0, _AUTHENTICATION, {4: "OAuth"}),
        _choice("incomingcredentialretrieval", 0, _CREDENTIALS, _CREDENTIALS_LATER),
        _choice("outgoingcredentialretrieval", 0, _CREDENTIALS, _CREDENTIALS_LATER),
        _flag("incominguseimpersonation", writable=True),
        _flag("outgoinguseimpersonation", writable=True),
        _text("incomingusername"),
        _text("outgoingusername"),
        _text("incomingpassword", readable=False),
        _text("outgoingpassword", readable=False),
        _flag("isincomingpasswordset"),
        _flag("isoutgoingpasswordset"),
        _flag("usesamesettingsforoutgoingconnections", True, writable=True),
        _number("maxconcurrentconnections", 10, writable=True),
        _number("minpollingintervalinminutes", 0, writable=True),
        _flag("timeoutmailboxconnection", True, writable=True),
        _number("timeoutmailboxconnectionafteramount", 100000, writable=True),
        _flag("moveundeliveredemails", writable=True),
        _time("processemailsreceivedafter", writable=True),
        _flag("sendemailalert", writable=True),
        _flag("outgoingautograntdelegateaccess", writable=True),
        _text("encodingcodepage"),
        _text("owneremailaddress", writable=False),
        _time("lastteststarttime"),
        Attribute(name="lasttesttotalexecutiontime", kind="BigInt"),
        _choice("lasttestexecutionstatus", None, {0: "Failure", 1: "Success", 2: "Warning"}, writable=False),
        _choice("lastauthorizationstatus", None, _OUTCOME, writable=False),
        _choice("lasttestvalidationstatus", None, _OUTCOME, writable=False),
        _text("lasttestrequest", writable=False, kind="Memo"),
        _text("lasttestresponse", writable=False, kind="Memo"),
        _text("lastcrmmessage", writable=False, kind="Memo"),
        _text("oauthclientid", since=(9, 1)),
        _text("oauthclientsecret", readable=False, since=(9, 1)),
    ),
)

MAILBOX = Entity(
    "mailbox",
    "mailboxes",
    9606,
    "prvReadMailbox",
    (
        _id("mailboxid"),
        _text("name"),
        *_common(),
        _text("emailaddress"),
        _lookup("emailserverprofile"),
        Attribute(name="emailserverprofilename", kind="Virtual"),
        _lookup("regardingobjectid"),
        _flag("isforwardmailbox"),
        _flag("isserviceaccount"),
        _choice(
            "incomingemaildeliverymethod",
            2,
            {0: "None", 1: "Microsoft Dynamics 365 for Outlook", 2: "Server-Side Synchronization or Email Router", 3: "Forward Mailbox"},
        ),
        _choice(
            "outgoingemaildeliverymethod",
            2,
            {0: "None", 1: "Microsoft Dynamics 365 for Outlook", 2: "Server-Side Synchronization or Email Router"},
        ),
        _choice(
            "actdeliverymethod",
            2,
            {0: "Microsoft Dynamics 365 for Outlook", 1: "Server-Side Synchronization", 2: "None"},
        ),
        _choice("incomingemailstatus", 0, _TEST_STATUS, writable=False),
        _choice("outgoingemailstatus", 0, _TEST_STATUS, writable=False),
        _choice("actstatus", 0, _TEST_STATUS, writable=False),
        _choice("mailboxstatus", 0, _TEST_STATUS, writable=False),
        _flag("enabledforincomingemail"),
        _flag("enabledforoutgoingemail"),
        _flag("enabledforact"),
        _choice("emailrouteraccessapproval", 1, {0: "Empty", 1: "Approved", 2: "Pending Approval", 3: "Rejected"}),
        _flag("isemailaddressapprovedbyo365admin"),
        _flag("testemailconfigurationscheduled", writable=True),
        _number("testemailconfigurationretrycount", 0),
        _time("postponetestemailconfigurationuntil", writable=True),
        _time("testmailboxaccesscompletedon"),
        _flag("isactsyncorgflagset"),
        _flag("orgmarkedasprimaryforexchangesync", writable=True),
        _flag("allowemailconnectortousecredentials", writable=True),
        _text("username"),
        _text("password", readable=False),
        _flag("ispasswordset"),
        _text("ewsurl"),
        _time("lastautodiscoveredon"),
        _text("lastsyncerror", writable=False),
        _number("lastsyncerrorcode"),
        _number("lastsyncerrorcount", 0),
        _time("lastsyncerroroccurredon"),
        _text("lastsyncerrormachinename", writable=False),
        _time("lastsyncstartedon"),
        _time("lastsuccessfulsynccompletedon"),
        _time("processinglastattemptedon"),
        _number("processingstatecode", 0),
        _number("transientfailurecount", 0),
        _number("noemailcount", 0),
        _number("noactcount", 0),
        _number("forcedunlockcount", 0),
        _time("postponemailboxprocessinguntil", writable=True),
        _time("postponesendinguntil", writable=True),
        _time("receivingpostponeduntil", writable=True),
        _time("receivingpostponeduntilforact", writable=True),
        _flag("processanddeleteemails", writable=True),
        _time("processemailreceivedafter", writable=True),
        _text("undeliverablefolder"),
        _number("verboseloggingenabled", 0, writable=True),
        _text("hostid", writable=False),
    ),
    "prvWriteMailbox",
)

TRACE_LOG = Entity(
    "tracelog",
    "tracelogs",
    8050,
    "prvReadTraceLog",  # unconfirmed
    (
        _id("tracelogid"),
        _lookup("regardingobjectid"),
        _choice("level", None, {1: "Information", 2: "Warning", 3: "Error"}, writable=False),
        _choice("tracestatus", None, _OUTCOME, writable=False),
        _number("tracecode"),
        _text("text", writable=False, kind="Memo"),
        _text("errortypedisplay", writable=False),
        _text("errordetails", writable=False, kind="Memo"),
        _text("traceparameterxml", writable=False, kind="Memo"),
        _text("tracedetailxml", writable=False, kind="Memo"),
        _text("traceactionxml", writable=False, kind="Memo"),
        _text("machinename", writable=False),
        _time("createdon"),
        _time("modifiedon"),
        _flag("isunique"),
        _number("collationlevel", 0),
        _lookup("parenttracelogid"),
        _lookup("ownerid", kind="Owner"),
    ),
)

ORGANIZATION = Entity(
    "organization",
    "organizations",
    1019,
    "prvReadOrganization",
    (_id("organizationid"), _text("name"), _time("createdon"), _number("languagecode", ENGLISH)),
)

ENTITIES = {entity.name: entity for entity in (PROFILE, MAILBOX, TRACE_LOG, ORGANIZATION)}

EMAIL_SET = "emails"
EMAIL_READ_PRIVILEGE = "prvReadActivity"


@cache
def shown(entity: Entity, version: tuple[int, int]) -> Mapping[str, Attribute]:
    """The properties of an entity's type in a version, by their names in answers."""
    return {attribute.property_name: attribute for attribute in entity.in_version(version) if attribute.is_shown}


def attribute_metadata(entity: Entity, attribute: Attribute, wanted: frozenset[str]) -> dict[str, Any]:
    """One entry of the attributes' metadata, with what was selected of it."""
    known = {
        "LogicalName": attribute.name,
        "SchemaName": attribute.name.capitalize(),
        "AttributeType": attribute.kind,
        "IsValidForRead": attribute.readable,
        "IsValidForUpdate": attribute.writable,
        "IsPrimaryId": attribute.name == entity.key,
    }
    identifier = made_id("attribute", entity.name, attribute.name)
    selected = {name: value for name, value in known.items() if not wanted or name in wanted}
    return {"@odata.type": f"#Microsoft.Dynamics.CRM.{attribute.kind}AttributeMetadata", **selected, "MetadataId": identifier}


def option_set(entity: Entity, attribute: Attribute, version: tuple[int, int], language: int) -> dict[str, Any]:
    """The option set of an attribute; a boolean's has two members of their own instead of a list."""
    options = attribute.options_in(version) or {}
    about = {
        "MetadataId": made_id("options", entity.name, attribute.name),
        "Name": f"{entity.name}_{attribute.name}",
        "IsGlobal": False,
        "IsCustomOptionSet": False,
    }
    if attribute.kind == "Boolean":
        return {
            **about,
            "OptionSetType": "Boolean",
            "FalseOption": _option(0, options, language),
            "TrueOption": _option(1, options, language),
        }
    return {**about, "OptionSetType": attribute.kind, "Options": [_option(value, options, language) for value in options]}


def _option(value: int, options: Options, language: int) -> dict[str, Any]:
    label = {
        "Label": in_language(options[value], language),
        "LanguageCode": language,
        "IsManaged": True,
        "MetadataId": made_id("label", options[value], str(value)),
        "HasChanged": None,
    }
    return {
        "Value": value,
        "Color": None,
        "IsManaged": True,
        "MetadataId": None,
        "HasChanged": None,
        "Label": {"LocalizedLabels": [label], "UserLocalizedLabel": label},
    }

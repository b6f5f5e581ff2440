"""What Exchange Web Services answers to a signed-in account: folders of mailboxes, their inboxes' messages, and the errors on the way to them."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from functools import partial
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from probe.model.values import dataclass
from probe.simulation.releases import Release

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"

_NAMES = {"soap": SOAP, "t": TYPES, "m": MESSAGES}

_TEXTS = {
    "ErrorAccountDisabled": "The account that was used to make the request is disabled.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidLicense": "There is no valid license for the mailbox.",
    "ErrorMailboxFailover": "The mailbox is being failed over.",
    "ErrorMailboxMoveInProgress": "Mailbox move in progress. Try again later., Cannot open mailbox.",
    "ErrorMailboxStoreUnavailable": "The mailbox database is temporarily unavailable., Cannot open mailbox.",
    "ErrorNoRespondingCASInDestinationSite": "There are no Client Access servers in the destination site that can process the request.",
    "ErrorPasswordChangeRequired": "The password must be changed.",
    "ErrorPasswordExpired": "The password has expired.",
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorExceededConnectionCount": "You have exceeded the available concurrent connections for your account. Try again once your other requests have completed.",
    "ErrorImpersonationFailed": "Exchange Web Services is not currently available for this request because the impersonation failed.",
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorImpersonateUserDenied": "The account does not have permission to impersonate the requested user.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidServerVersion": "The specified server version is invalid.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorMissingEmailAddress": "When making a request as an account that does not have a mailbox, you must specify the mailbox primary "
    "SMTP address for any distinguished folder Ids.",
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    "ErrorSendAsDenied": "The user account which was used to submit this request does not have the right to send mail on behalf of the "
    "specified sending account.",
    "ErrorSchemaValidation": "The request failed schema validation.",
}


BACK_OFF_MILLISECONDS = 30_000


@dataclass(frozen=True, slots=True)
class _Folder:
    parent: str
    element: str
    folder_class: str
    display_name: str


_FOLDERS = {
    "root": _Folder("", "Folder", "", "Root"),
    "msgfolderroot": _Folder("root", "Folder", "", "Top of Information Store"),
    "inbox": _Folder("msgfolderroot", "Folder", "IPF.Note", "Inbox"),
    "drafts": _Folder("msgfolderroot", "Folder", "IPF.Note", "Drafts"),
    "sentitems": _Folder("msgfolderroot", "Folder", "IPF.Note", "Sent Items"),
    "deleteditems": _Folder("msgfolderroot", "Folder", "IPF.Note", "Deleted Items"),
    "outbox": _Folder("msgfolderroot", "Folder", "IPF.Note", "Outbox"),
    "junkemail": _Folder("msgfolderroot", "Folder", "IPF.Note", "Junk Email"),
    "calendar": _Folder("msgfolderroot", "CalendarFolder", "IPF.Appointment", "Calendar"),
    "contacts": _Folder("msgfolderroot", "ContactsFolder", "IPF.Contact", "Contacts"),
    "tasks": _Folder("msgfolderroot", "TasksFolder", "IPF.Task", "Tasks"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that may sign in."""

    password: str
    mailbox: str | None = None
    """The mailbox of its own, if it has one."""
    may_act_as: frozenset[str] = frozenset()
    """The mailboxes that it may impersonate."""
    state: str = ""
    """The response code in answer to all its requests; empty where it is in order."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message in an inbox."""

    subject: str
    received: datetime


Items = dict[str, dict[str, Item]]
"""Of each mailbox, the messages of its inbox by their ids."""


@dataclass(frozen=True, slots=True)
class Store:
    """The mailboxes of one Exchange organization."""

    release: Release
    mailboxes: frozenset[str]
    states: Mapping[str, str] = field(default_factory=dict)
    """Mailboxes with a fault, each with the response code to requests for it."""

    items: Items = field(default_factory=dict)
    """The messages in the inboxes."""

    def deliver(self, mailbox: str, subject: str, received: datetime | None = None) -> None:
        """A message comes into the inbox of a mailbox, now or at another time."""
        _deliver(self.items, mailbox, subject, received)

    def answer(self, request: bytes, account: Account) -> tuple[int, bytes]:
        """The HTTP status and the envelope that a request is answered with."""
        schema = "Exchange2007"
        try:
            envelope = ElementTree.fromstring(request)  # noqa: S314  # from loopback, and expat bounds entities itself
            wanted = envelope.find("soap:Header/t:RequestServerVersion", _NAMES)
            schema = wanted.get("Version", "") if wanted is not None else schema
            self._refuse_newer(schema)
            operation = next(iter(envelope.findall("soap:Body/*", _NAMES)), None)
            if operation is None:
                raise _RequestRefused("ErrorSchemaValidation")
            if account.state:
                raise _RequestRefused(account.state)
            acting = self._acting(envelope, account)
            return 200, self._envelope(schema, _Operation(self.mailboxes, acting, self.items).run(operation))
        except ElementTree.ParseError:
            return 500, self._fault(_RequestRefused("ErrorSchemaValidation"))
        except _RequestRefused as fault:
            return 500, self._fault(fault)

    def _refuse_newer(self, schema: str) -> None:
        if self.release.takes(schema):
            return
        if self.release.build < (14,):
            # 2007 does not know the value, and reports the schema rather than the version.
            raise _RequestRefused(
                "ErrorSchemaValidation",
                f"The 'Version' attribute is invalid - The value '{schema}' is invalid according to its datatype '{TYPES}:ExchangeVersionType'",
            )
        raise _RequestRefused("ErrorInvalidServerVersion")

    def _acting(self, envelope: ElementTree.Element, account: Account) -> str | None:
        """The mailbox that a request acts as. The address is looked up before the permission."""
        impersonated = next(iter(envelope.findall("soap:Header/t:ExchangeImpersonation/t:ConnectingSID/*", _NAMES)), None)
        if impersonated is None:
            return account.mailbox
        address = (impersonated.text or "").strip().lower()
        if address not in self.mailboxes:
            raise _RequestRefused("ErrorNonExistentMailbox")
        if address not in account.may_act_as:
            raise _RequestRefused("ErrorImpersonateUserDenied")
        if (code := self.states.get(address)) is not None:
            raise _RequestRefused(code)
        return address

    def _envelope(self, schema: str, body: str) -> bytes:
        major, minor, build, revision = self.release.build
        soap, types = ("s", "h") if self.release.build >= (14,) else ("soap", "t")
        return (
            f'<?xml version="1.0" encoding="utf-8"?><{soap}:Envelope xmlns:{soap}="{SOAP}"><{soap}:Header>'
            f'<{types}:ServerVersionInfo MajorVersion="{major}" MinorVersion="{minor}" MajorBuildNumber="{build}" '
            f'MinorBuildNumber="{revision}" Version={quoteattr(self.release.answers_in or schema)} xmlns:{types}="{TYPES}"/>'
            f'</{soap}:Header><{soap}:Body xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">{body}</{soap}:Body></{soap}:Envelope>'
        ).encode()

    def _fault(self, fault: _RequestRefused) -> bytes:
        """A fault carries no version of the server."""
        soap = "s" if self.release.build >= (14,) else "soap"
        text = escape(" ".join(filter(None, (_TEXTS[fault.code], fault.why))))
        return (
            f'<?xml version="1.0" encoding="utf-8"?><{soap}:Envelope xmlns:{soap}="{SOAP}"><{soap}:Body><{soap}:Fault>'
            f'<faultcode xmlns:a="{TYPES}">a:{fault.code}</faultcode><faultstring xml:lang="en-US">{text}</faultstring>'
            f'<detail><e:ResponseCode xmlns:e="{ERRORS}">{fault.code}</e:ResponseCode>'
            f'<e:Message xmlns:e="{ERRORS}">{text}</e:Message>{_hint(fault.code)}</detail></{soap}:Fault></{soap}:Body></{soap}:Envelope>'
        ).encode()


def _hint(code: str) -> str:
    """The pause that a busy server asks for."""
    if code != "ErrorServerBusy":
        return ""
    return f'<t:MessageXml xmlns:t="{TYPES}"><t:Value Name="BackOffMilliseconds">{BACK_OFF_MILLISECONDS}</t:Value></t:MessageXml>'


class _RequestRefused(Exception):
    """The request as a whole is refused."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.why = why


class _Refusal(Exception):
    """One of the things asked for is refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Operation:
    mailboxes: frozenset[str]
    acting: str | None
    items: Items

    def run(self, operation: ElementTree.Element) -> str:
        name = operation.tag.rpartition("}")[2]
        match name:
            case "GetFolder":
                asked = operation.findall("m:FolderIds/*", _NAMES)
                answers = [self._message(name, partial(self._one_folder, operation, each)) for each in asked]
            case "FindFolder":
                asked = operation.findall("m:ParentFolderIds/*", _NAMES)
                answers = [self._message(name, partial(self._folders_under, operation, each)) for each in asked]
            case "ConvertId":
                asked = operation.findall("m:SourceIds/*", _NAMES)
                answers = [self._message(name, partial(_converted, operation, each)) for each in asked]
            case "DeleteItem":
                asked = operation.findall("m:ItemIds/*", _NAMES)
                answers = [self._message(name, partial(self._deleted, each)) for each in asked]
            case "CreateItem":
                asked = operation.findall("m:Items/t:Message", _NAMES)
                answers = [self._message(name, partial(self._sent, operation, each)) for each in asked]
            case "FindItem":
                asked = operation.findall("m:ParentFolderIds/*", _NAMES)
                answers = [self._message(name, partial(self._items_in, operation, each)) for each in asked]
            case _:
                raise _RequestRefused("ErrorSchemaValidation")
        if not answers:
            raise _RequestRefused("ErrorSchemaValidation")
        return f"<m:{name}Response><m:ResponseMessages>{''.join(answers)}</m:ResponseMessages></m:{name}Response>"

    def _message(self, name: str, answer: Callable[[], str]) -> str:
        try:
            content = answer()
        except _Refusal as refusal:
            return (
                f'<m:{name}ResponseMessage ResponseClass="Error"><m:MessageText>{_TEXTS[refusal.code]}</m:MessageText>'
                f"<m:ResponseCode>{refusal.code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey></m:{name}ResponseMessage>"
            )
        return (
            f'<m:{name}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}</m:{name}ResponseMessage>'
        )

    def _one_folder(self, operation: ElementTree.Element, asked: ElementTree.Element) -> str:
        mailbox, name = self._located(asked)
        return f"<m:Folders>{_folder(mailbox, name, _wanted(operation), self.items)}</m:Folders>"

    def _folders_under(self, operation: ElementTree.Element, asked: ElementTree.Element) -> str:
        mailbox, parent = self._located(asked)
        wanted = _wanted(operation)
        found = [name for name in _under(parent, deep=operation.get("Traversal") == "Deep") if _is_wanted(operation, name)]
        shown, paging = found, ""
        view = operation.find("m:IndexedPageFolderView", _NAMES)
        if view is not None:
            start = _number(view.get("Offset", "0"))
            shown = found[start : start + _number(view.get("MaxEntriesReturned", str(len(found))))]
            paging = f'IndexedPagingOffset="{start + len(shown)}" '
        last = "true" if not found or (shown and shown[-1] == found[-1]) else "false"
        folders = "".join(_folder(mailbox, name, wanted, self.items) for name in shown)
        return (
            f'<m:RootFolder {paging}TotalItemsInView="{len(found)}" IncludesLastItemInRange="{last}">'
            f"<t:Folders>{folders}</t:Folders></m:RootFolder>"
        )

    def _items_in(self, operation: ElementTree.Element, asked: ElementTree.Element) -> str:
        """The messages of an inbox, less those that a restriction leaves out; other folders hold none."""
        mailbox, folder = self._located(asked)
        held = self.items.get(mailbox, {}) if folder == "inbox" else {}
        restriction = operation.find("m:Restriction", _NAMES)
        found = [
            (identifier, item)
            for identifier, item in held.items()
            if restriction is None or all(_passes(term, partial(_of_item, item)) for term in restriction)
        ]
        shown, paging = found, ""
        view = operation.find("m:IndexedPageItemView", _NAMES)
        if view is not None:
            start = _number(view.get("Offset", "0"))
            shown = found[start : start + _number(view.get("MaxEntriesReturned", str(len(found))))]
            paging = f'IndexedPagingOffset="{start + len(shown)}" '
        last = "true" if not found or (shown and shown[-1] is found[-1]) else "false"
        fields = operation.findall("m:ItemShape/t:AdditionalProperties/t:FieldURI", _NAMES)
        with_time = any(each.get("FieldURI") == "item:DateTimeReceived" for each in fields)
        items = "".join(
            f'<t:Message><t:ItemId Id="{identifier}" ChangeKey="CQAAABYAAAA="/><t:Subject>{escape(item.subject)}</t:Subject>'
            f"{f'<t:DateTimeReceived>{_written(item.received)}</t:DateTimeReceived>' if with_time else ''}</t:Message>"
            for identifier, item in shown
        )
        view_of = f'TotalItemsInView="{len(found)}" IncludesLastItemInRange="{last}"'
        return f"<m:RootFolder {paging}{view_of}><t:Items>{items}</t:Items></m:RootFolder>"

    def _sent(self, operation: ElementTree.Element, message: ElementTree.Element) -> str:
        """Sends a message in the name of the mailbox that is acted in, and keeps none; what goes outside is lost."""
        if operation.get("MessageDisposition") != "SendOnly":
            raise _RequestRefused("ErrorSchemaValidation")
        if self.acting is None:
            raise _Refusal("ErrorMissingEmailAddress")
        sender = message.findtext("t:From/t:Mailbox/t:EmailAddress", self.acting, _NAMES).strip().lower()
        if sender != self.acting:
            raise _Refusal("ErrorSendAsDenied")
        for recipient in message.findall("t:ToRecipients/t:Mailbox/t:EmailAddress", _NAMES):
            if (recipient.text or "").lower() in self.mailboxes:
                _deliver(self.items, recipient.text or "", message.findtext("t:Subject", "", _NAMES), None)
        return "<m:Items/>"

    def _deleted(self, asked: ElementTree.Element) -> str:
        held = self.items.get(self.acting or "", {})
        if held.pop(asked.get("Id", ""), None) is None:
            raise _Refusal("ErrorItemNotFound")
        return ""

    def _located(self, asked: ElementTree.Element) -> tuple[str, str]:
        """Mailbox and folder of an id, where both exist and may be opened."""
        if asked.tag.endswith("}FolderId"):
            mailbox, name = _folder_of(asked.get("Id", ""))
        else:
            address = asked.findtext("t:Mailbox/t:EmailAddress", "", _NAMES).strip().lower()
            mailbox, name = address or self.acting or "", asked.get("Id", "")
        if not mailbox:
            raise _Refusal("ErrorMissingEmailAddress")
        if mailbox not in self.mailboxes:
            raise _Refusal("ErrorNonExistentMailbox")
        if mailbox != self.acting:
            raise _Refusal("ErrorAccessDenied")
        if name not in _FOLDERS:
            raise _Refusal("ErrorFolderNotFound")
        return mailbox, name


def _deliver(items: Items, mailbox: str, subject: str, received: datetime | None) -> None:
    inbox = items.setdefault(mailbox.lower(), {})
    identifier = base64.b64encode(f"{mailbox.lower()}\nitem\n{len(inbox)}\n{subject}".encode()).decode("ascii")
    inbox[identifier] = Item(subject, received or datetime.fromtimestamp(time.time(), UTC))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(text: str) -> int:
    if not text.isdecimal():
        raise _RequestRefused("ErrorSchemaValidation")
    return int(text)


def _converted(operation: ElementTree.Element, asked: ElementTree.Element) -> str:
    """An id in the format of EWS, with the mailbox that it really is of; every id here is made up, so no other format of it is right."""
    identifier = asked.get("Id", "")
    mailbox, _ = _folder_of(identifier)
    if (asked.get("Format"), operation.get("DestinationFormat")) != ("EwsId", "EwsId"):
        raise _Refusal("ErrorInvalidIdMalformed")
    return (
        '<m:AlternateId xsi:type="t:AlternateIdType" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'Format="EwsId" Id={quoteattr(identifier)} Mailbox={quoteattr(mailbox)}/>'
    )


def _under(parent: str, *, deep: bool) -> Iterator[str]:
    for name, folder in _FOLDERS.items():
        if folder.parent == parent:
            yield name
            if deep:
                yield from _under(name, deep=True)


def _is_wanted(operation: ElementTree.Element, name: str) -> bool:
    """Whether a folder passes the request's restriction, if it has one."""
    restriction = operation.find("m:Restriction", _NAMES)
    return restriction is None or all(_passes(term, partial(_of_folder, name)) for term in restriction)


# PR_CONTAINER_CLASS and PR_DISPLAY_NAME ([MS-OXPROPS]), by which clients ask for folders, beside EWS's own names for them.
_ASKED_BY = {"0x3613": "folder_class", "0x3001": "display_name", "folder:FolderClass": "folder_class", "folder:DisplayName": "display_name"}


Read = Callable[[str], str]
"""The value of a property that a search expression names."""

_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "IsEqualTo": lambda value, wanted: value == wanted,
    "IsGreaterThan": lambda value, wanted: value > wanted,
    "IsGreaterThanOrEqualTo": lambda value, wanted: value >= wanted,
    "IsLessThan": lambda value, wanted: value < wanted,
    "IsLessThanOrEqualTo": lambda value, wanted: value <= wanted,
}


def _passes(term: ElementTree.Element, read: Read) -> bool:
    """Whether a folder or a message passes a search expression, as far as those go that clients send here; any other is no valid one."""
    name = term.tag.rpartition("}")[2]
    match name:
        case "Or":
            return any(_passes(each, read) for each in term)
        case "And":
            return all(_passes(each, read) for each in term)
        case "Not":
            return not all(_passes(each, read) for each in term)
        case "Exists":
            return bool(read(_property(term)))
        case _ if name in _COMPARISONS:
            constant = term.find("t:FieldURIOrConstant/t:Constant", _NAMES)
            asked = _property(term)
            return constant is not None and _COMPARISONS[name](read(asked), _normal(asked, constant.get("Value", "")))
        case _:
            raise _RequestRefused("ErrorSchemaValidation")


def _property(term: ElementTree.Element) -> str:
    path = next(iter(term), None)
    return "" if path is None else path.get("PropertyTag") or path.get("FieldURI") or ""


def _of_folder(name: str, asked: str) -> str:
    if asked not in _ASKED_BY:
        raise _RequestRefused("ErrorSchemaValidation")
    return str(getattr(_FOLDERS[name], _ASKED_BY[asked]))


def _of_item(item: Item, asked: str) -> str:
    match asked:
        case "item:Subject":
            return item.subject
        case "item:DateTimeReceived":
            return _written(item.received)
        case _:
            raise _RequestRefused("ErrorSchemaValidation")


def _normal(asked: str, value: str) -> str:
    """A constant as it is compared: a time in UTC to the second."""
    if asked != "item:DateTimeReceived":
        return value
    try:
        return _written(datetime.fromisoformat(value))
    except ValueError:
        raise _RequestRefused("ErrorSchemaValidation") from None


def _wanted(operation: ElementTree.Element) -> frozenset[str]:
    """The properties that a request asks for."""
    shape = operation.findtext("m:FolderShape/t:BaseShape", "IdOnly", _NAMES)
    basic = {
        "Default": {"DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"},
        "AllProperties": {"ParentFolderId", "FolderClass", "DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"},
    }.get(shape, set())
    fields = operation.findall("m:FolderShape/t:AdditionalProperties/t:FieldURI", _NAMES)
    return frozenset(basic | {field.get("FieldURI", "").removeprefix("folder:") for field in fields})


def _folder(mailbox: str, name: str, wanted: frozenset[str], items: Items) -> str:
    """A folder with the properties asked for, in the order of the schema."""
    folder = _FOLDERS[name]
    parts = [f'<t:FolderId Id="{_folder_id(mailbox, name)}" ChangeKey="AQAAABYAAAA="/>']
    if "ParentFolderId" in wanted and folder.parent:
        parts.append(f'<t:ParentFolderId Id="{_folder_id(mailbox, folder.parent)}" ChangeKey="AQAAAA=="/>')
    if "FolderClass" in wanted and folder.folder_class:
        parts.append(f"<t:FolderClass>{folder.folder_class}</t:FolderClass>")
    if "DisplayName" in wanted:
        parts.append(f"<t:DisplayName>{folder.display_name}</t:DisplayName>")
    if "TotalCount" in wanted:
        count = len(items.get(mailbox, ())) if name == "inbox" else 0
        parts.append(f"<t:TotalCount>{count}</t:TotalCount>")
    if "ChildFolderCount" in wanted:
        parts.append(f"<t:ChildFolderCount>{len(list(_under(name, deep=False)))}</t:ChildFolderCount>")
    if "UnreadCount" in wanted and folder.element == "Folder":
        parts.append("<t:UnreadCount>0</t:UnreadCount>")
    return f"<t:{folder.element}>{''.join(parts)}</t:{folder.element}>"


def _folder_id(mailbox: str, name: str) -> str:
    return base64.b64encode(f"{mailbox}\n{name}".encode()).decode("ascii")


def _folder_of(identifier: str) -> tuple[str, str]:
    try:
        mailbox, name = base64.b64decode(identifier, validate=True).decode().split("\n")
    except ValueError:  # not base64, not a text, or not two parts
        raise _Refusal("ErrorInvalidIdMalformed") from None
    return mailbox, name

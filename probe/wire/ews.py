"""Writes and reads EWS operations: FindFolder, FindItem for a number, and the two of the round trip (learn.microsoft.com, "FindFolder operation" and so on).

Responses are read by a parser that expands no entities. What it cannot read is no response. It is loaded with the first response.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from probe.model.values import dataclass
from probe.wire.soap import EWS_MESSAGES, EWS_TYPES, escaped, ews_envelope

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_FOUND = 5
"""Items that are asked for; the subject is random, so that there is one."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message, as the server names it."""

    identifier: str
    change_key: str


def find_item(mailbox: str, subject: str, schema: str, *, impersonates: bool) -> bytes:
    """FindItem for the messages in the inbox that have exactly this subject."""
    return ews_envelope(
        schema,
        mailbox if impersonates else None,
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
        '<t:AdditionalProperties><t:FieldURI FieldURI="item:Subject"/></t:AdditionalProperties></m:ItemShape>'
        f'<m:IndexedPageItemView MaxEntriesReturned="{MOST_FOUND}" Offset="0" BasePoint="Beginning"/>'
        '<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="item:Subject"/>'
        f"<t:FieldURIOrConstant><t:Constant Value={_attribute(subject)}/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>"
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="inbox">'
        f"<t:Mailbox><t:EmailAddress>{escaped(mailbox)}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:ParentFolderIds></m:FindItem>",
    )


def find_own_inbox(schema: str) -> bytes:
    """The smallest FindFolder, on the inbox of whoever asks."""
    return ews_envelope(
        schema,
        None,
        '<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>'
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/></m:ParentFolderIds></m:FindFolder>',
    )


def count_newer(mailbox: str, since: datetime, schema: str, *, impersonates: bool) -> bytes:
    """FindItem for the messages in the inbox that were received after a time, of which the number is wanted: one is asked for, and no property of it."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ews_envelope(
        schema,
        mailbox if impersonates else None,
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>'
        '<m:IndexedPageItemView MaxEntriesReturned="1" Offset="0" BasePoint="Beginning"/>'
        '<m:Restriction><t:IsGreaterThan><t:FieldURI FieldURI="item:DateTimeReceived"/>'
        f"<t:FieldURIOrConstant><t:Constant Value={_attribute(moment)}/></t:FieldURIOrConstant></t:IsGreaterThan></m:Restriction>"
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="inbox">'
        f"<t:Mailbox><t:EmailAddress>{escaped(mailbox)}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:ParentFolderIds></m:FindItem>",
    )


def find_folder(mailbox: str, folder: str, schema: str, *, impersonates: bool) -> bytes:
    """FindFolder, shallow and for identifiers alone, on a folder by its distinguished name: what server-side synchronization asks first."""
    return ews_envelope(
        schema,
        mailbox if impersonates else None,
        '<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>'
        '<m:IndexedPageFolderView MaxEntriesReturned="1" Offset="0" BasePoint="Beginning"/>'
        f"<m:ParentFolderIds><t:DistinguishedFolderId Id={_attribute(folder)}>"
        f"<t:Mailbox><t:EmailAddress>{escaped(mailbox)}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:ParentFolderIds></m:FindFolder>",
    )


def delete_item(mailbox: str, item: Item, schema: str, *, impersonates: bool) -> bytes:
    """DeleteItem for one message, past the folder of deleted ones."""
    return ews_envelope(
        schema,
        mailbox if impersonates else None,
        '<m:DeleteItem DeleteType="HardDelete"><m:ItemIds>'
        f"<t:ItemId Id={_attribute(item.identifier)} ChangeKey={_attribute(item.change_key)}/></m:ItemIds></m:DeleteItem>",
    )


def _attribute(value: str) -> str:
    """A value of an attribute, in quotes."""
    return f'"{escaped(value).translate({9: "&#9;", 10: "&#10;", 13: "&#13;"})}"'


def read_found(answer: bytes, subject: str) -> tuple[str, tuple[Item, ...]] | None:
    """The response code, and the messages with exactly this subject; None where it is no answer to FindItem."""
    message = _response(answer, "FindItemResponseMessage")
    if message is None:
        return None
    code, element = message
    items = []
    for found in element.iter(f"{{{EWS_TYPES}}}Message"):
        identifier = found.find(f"{{{EWS_TYPES}}}ItemId")
        if identifier is not None and found.findtext(f"{{{EWS_TYPES}}}Subject") == subject and identifier.get("Id"):
            items.append(Item(identifier.get("Id", ""), identifier.get("ChangeKey", "")))
    return code, tuple(items)


def read_count(answer: bytes) -> int | str | None:
    """How many items a FindItem found in all; its response code where it found none for that; None where it is no answer to one, or gives no number."""
    message = _response(answer, "FindItemResponseMessage")
    if message is None:
        return response_code(answer)
    code, element = message
    if code != "NoError":
        return code
    root = element.find(f"{{{EWS_MESSAGES}}}RootFolder")
    total = "" if root is None else root.get("TotalItemsInView", "")
    return int(total) if re.fullmatch(r"[0-9]{1,9}", total) else None


def read_folder(answer: bytes) -> str | None:
    """`found`, or the response code of a FindFolder or of the fault in its place; None where it is no answer of EWS."""
    message = _response(answer, "FindFolderResponseMessage")
    code = response_code(answer) if message is None else message[0]
    return "found" if code == "NoError" else code


_RESPONSE_CODE = rb"<(?:[\w.-]{1,40}:)?ResponseCode\b[^<>]{0,500}>\s{0,99}(Error[A-Za-z]{1,80})\s{0,99}<"


def response_code(answer: bytes) -> str | None:
    """The response code as it stands in an answer, be it XML as a whole or not; None where there is none."""
    match = re.search(_RESPONSE_CODE, answer)
    return None if match is None else match[1].decode()


_BACK_OFF = (
    rb"""<(?:[\w.-]{1,40}:)?Value\b[^<>]{0,200}\bName\s{0,9}=\s{0,9}["']BackOffMilliseconds["'][^<>]{0,200}>\s{0,99}([0-9]{1,9})\s{0,99}<"""
)


def back_off_seconds(answer: bytes) -> float | None:
    """For how many seconds a busy Exchange asks to be left alone; None where it does not say."""
    match = re.search(_BACK_OFF, answer)
    return None if match is None else int(match[1]) / 1000


def read_deleted(answer: bytes) -> str | None:
    """The response code of a DeleteItem; None where it is no answer to one."""
    message = _response(answer, "DeleteItemResponseMessage")
    return None if message is None else message[0]


def _response(answer: bytes, name: str) -> tuple[str, Element] | None:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException, ElementTree

    try:
        root: Element = ElementTree.fromstring(answer)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):  # LookupError: an encoding that nobody knows
        return None
    element = next(root.iter(f"{{{EWS_MESSAGES}}}{name}"), None)
    code = None if element is None else element.findtext(f"{{{EWS_MESSAGES}}}ResponseCode")
    return None if element is None or not code else (code.strip()[:100], element)

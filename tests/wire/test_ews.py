"""FindItem and DeleteItem, as they are written and read."""

from __future__ import annotations

import pytest

from probe.wire.ews import Item, delete_item, find_item, read_deleted, read_found

_ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">{}</s:Body></s:Envelope>'
)


def found(items: str, code: str = "NoError") -> bytes:
    inner = f"<m:FindItemResponseMessage><m:ResponseCode>{code}</m:ResponseCode><m:RootFolder><t:Items>{items}</t:Items></m:RootFolder>"
    return _ENVELOPE.format(
        f"<m:FindItemResponse><m:ResponseMessages>{inner}</m:FindItemResponseMessage></m:ResponseMessages></m:FindItemResponse>"
    ).encode()


def message(subject: str, identifier: str = "AA==", kind: str = "Message") -> str:
    return f'<t:{kind}><t:ItemId Id="{identifier}" ChangeKey="CQ=="/><t:Subject>{subject}</t:Subject></t:{kind}>'


def test_only_the_exact_subject_counts() -> None:
    """A server that finds more than was asked for shows what is not ours; a bounce, a meeting and a message without an id do not count."""
    answer = found(message("ours") + message("Re: ours", "BB==") + message("ours", "CC==", "MeetingRequest") + message("ours", ""))
    assert read_found(answer, "ours") == ("NoError", (Item("AA==", "CQ=="),))


def test_codes_are_read() -> None:
    """The server's own code is what is told, of either operation."""
    assert read_found(found("", "ErrorAccessDenied"), "ours") == ("ErrorAccessDenied", ())
    deleted = _ENVELOPE.format("<m:DeleteItemResponseMessage><m:ResponseCode>NoError</m:ResponseCode></m:DeleteItemResponseMessage>")
    assert read_deleted(deleted.encode()) == "NoError"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"<a>" * 5000,
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        _ENVELOPE.format("<m:FindItemResponseMessage/>").encode(),
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_answer_is_none(answer: bytes) -> None:
    """Broken XML, entities and other documents are no answer."""
    assert read_found(answer, "ours") is None
    assert read_deleted(answer) is None


def test_what_is_written_stays_what_it_is() -> None:
    """Addresses and subjects are escaped; impersonation is asked for where it is wanted."""
    request = find_item("a&b@x.test", 'our"s<', "Exchange2010_SP2", impersonates=False).decode()
    assert "<t:EmailAddress>a&amp;b@x.test</t:EmailAddress>" in request
    assert "ExchangeImpersonation" not in request
    assert "<t:ExchangeImpersonation>" in delete_item("a@x.test", Item("AA==", "CQ=="), "Exchange2010_SP2", impersonates=True).decode()
    assert 'DeleteType="HardDelete"' in delete_item("a@x.test", Item("AA==", "CQ=="), "Exchange2010_SP2", impersonates=False).decode()

"""FindItem and DeleteItem, as they are written and read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from probe.wire.ews import Item, back_off_seconds, count_newer, delete_item, find_item, read_count, read_deleted, read_found

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


def counted(total: str, code: str = "NoError") -> bytes:
    root = f'<m:RootFolder {total} IncludesLastItemInRange="false"/>' if total is not None else ""
    return _ENVELOPE.format(
        f"<m:FindItemResponseMessage><m:ResponseCode>{code}</m:ResponseCode>{root}</m:FindItemResponseMessage>"
    ).encode()


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (counted('TotalItemsInView="14312"'), 14312),
        (counted('TotalItemsInView="0"'), 0),
        (counted('TotalItemsInView="-1"'), None),
        (counted('TotalItemsInView="1e3"'), None),
        (counted('TotalItemsInView="99999999999999999999"'), None),
        (counted(""), None),
        (counted("", "ErrorServerBusy"), "ErrorServerBusy"),
        (b"<html>", None),
        (b"<x:ResponseCode>ErrorInternalServerError</x:ResponseCode>", "ErrorInternalServerError"),
    ],
)
def test_a_number_is_read_as_the_server_gives_it(answer: bytes, number: int | str | None) -> None:
    """Of what is no number nothing is made; a response code in place of one is told."""
    assert read_count(answer) == number


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ('<t:Value Name="BackOffMilliseconds">30000</t:Value>', 30),
        ("<Value Name='BackOffMilliseconds' >\n4500 </Value>", 4.5),
        ('<t:Value Name="BackOffMilliseconds">0</t:Value>', 0),
        ('<t:Value Name="BackOffMilliseconds">-1</t:Value>', None),
        ('<t:Value Name="BackOffMilliseconds">9999999999</t:Value>', None),
        ('<t:Value Name="InnerErrorResponseCode">30000</t:Value>', None),
        ("", None),
    ],
)
def test_the_pause_of_a_busy_exchange_is_read_as_it_gives_it(value: str, seconds: float | None) -> None:
    """In milliseconds, be the answer XML as a whole or not; of what is no number nothing is made."""
    assert back_off_seconds(f"<t:MessageXml>{value}".encode()) == seconds


def test_what_was_received_after_a_time_is_asked_for() -> None:
    """In the inbox, one message of it, no property; the time is in UTC to the second."""
    since = datetime(2026, 11, 1, 9, 30, 15, 999, tzinfo=timezone(timedelta(hours=1)))
    request = count_newer("a&b@x.test", since, "Exchange2010_SP2", impersonates=True).decode()
    assert '<t:IsGreaterThan><t:FieldURI FieldURI="item:DateTimeReceived"/>' in request
    assert 'Value="2026-11-01T08:30:15Z"' in request
    assert 'MaxEntriesReturned="1"' in request
    assert "IdOnly" in request
    assert "a&amp;b@x.test" in request


def test_what_is_written_stays_what_it_is() -> None:
    """Addresses and subjects are escaped; impersonation is asked for where it is wanted."""
    request = find_item("a&b@x.test", 'our"s<', "Exchange2010_SP2", impersonates=False).decode()
    assert "<t:EmailAddress>a&amp;b@x.test</t:EmailAddress>" in request
    assert "ExchangeImpersonation" not in request
    assert "<t:ExchangeImpersonation>" in delete_item("a@x.test", Item("AA==", "CQ=="), "Exchange2010_SP2", impersonates=True).decode()
    assert 'DeleteType="HardDelete"' in delete_item("a@x.test", Item("AA==", "CQ=="), "Exchange2010_SP2", impersonates=False).decode()

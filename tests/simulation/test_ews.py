"""What the simulated EWS answers to exchangelib, which signs in as a client would, and to requests of our own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from exchangelib import BASIC, DELEGATE, IMPERSONATION, NTLM, Account, Configuration, Credentials, FailFast
from exchangelib.errors import (
    ErrorAccessDenied,
    ErrorFolderNotFound,
    ErrorImpersonateUserDenied,
    ErrorInvalidIdMalformed,
    ErrorMissingEmailAddress,
    ErrorNonExistentMailbox,
    ErrorSchemaValidation,
    ErrorSendAsDenied,
    UnauthorizedError,
)
from exchangelib.ewsdatetime import EWSDateTime, EWSTimeZone
from exchangelib.folders import Inbox, Root
from exchangelib.items import Message
from exchangelib.properties import AlternateId, DistinguishedFolderId
from exchangelib.properties import Mailbox as FolderOwner
from exchangelib.protocol import Protocol
from exchangelib.services import ConvertId, FindFolder
from exchangelib.version import EXCHANGE_2007_SP1, EXCHANGE_2010_SP2, Build, Version

from probe.simulation import ews, releases
from probe.simulation.authority import Authority
from probe.simulation.ews import Store
from probe.simulation.exchange import ExchangeServer
from probe.simulation.releases import Release

SERVICE = "svc-crm@contoso.test"
SALES = "sales@contoso.test"
BOARD = "board@contoso.test"
ACCOUNTS = {
    SERVICE: ews.Account(password="right", may_act_as=frozenset({SALES})),
    SALES: ews.Account(password="right", mailbox=SALES),
}

SignIn = Callable[..., Account]


@pytest.fixture
def sign_in(authority: Authority) -> SignIn:
    """An exchangelib account at a server, with nothing guessed, retried or cached."""

    class Trusting(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            super().cert_verify(conn=conn, url=url, verify=str(authority.ca_file), cert=cert)  # type: ignore[no-untyped-call]

    class Uncached(Protocol):  # type: ignore[misc]
        HTTP_ADAPTER_CLS = Trusting
        TIMEOUT = 5

    def account(
        server: ExchangeServer,
        mailbox: str = SALES,
        *,
        user: str = SERVICE,
        password: str = "right",
        access: str = IMPERSONATION,
        auth_type: str = BASIC,
        build: Build = EXCHANGE_2010_SP2,
    ) -> Account:
        configuration = Configuration(
            service_endpoint=f"https://127.0.0.1:{server.port}/EWS/Exchange.asmx",
            credentials=Credentials(user, password),
            auth_type=auth_type,
            version=Version(build),
            retry_policy=FailFast(),
            max_connections=1,
        )
        made = Account(mailbox, config=configuration, autodiscover=False, access_type=access)
        made.protocol = type.__call__(Uncached, config=configuration)
        return made

    return account


async def _with(account: Account, act: Callable[[Account], Any]) -> Any:
    """What an action with an account gives, its connections closed after it."""

    def call() -> Any:
        try:
            return act(account)
        finally:
            account.protocol.close()

    return await asyncio.to_thread(call)


def _find_under_inbox(account: Account) -> list[Any]:
    """One FindFolder on the inbox, with nothing asked before."""
    owner = FolderOwner(email_address=account.primary_smtp_address)
    inbox = Inbox(root=Root(account=account), _distinguished_id=DistinguishedFolderId(id="inbox", mailbox=owner))
    service = FindFolder(account=account)
    found = service.call([inbox], additional_fields=None, restriction=None, shape="IdOnly", depth="Shallow", max_items=1, offset=0)
    return list(found)


def _exchange(tls: ssl.SSLContext, release: Release = releases.EXCHANGE_2016) -> ExchangeServer:
    return ExchangeServer(release, "ex.contoso.test", tls, accounts=ACCOUNTS, mailboxes=[SALES, BOARD])


@pytest.mark.parametrize(
    "release",
    [releases.EXCHANGE_2010, releases.EXCHANGE_2013, releases.EXCHANGE_2016, releases.EXCHANGE_2019, releases.EXCHANGE_SE],
    ids=["2010", "2013", "2016", "2019", "SE"],
)
async def test_find_folder_is_one_logon_and_tells_the_build(release: Release, tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """FindFolder on the inbox costs one logon, and the answer carries the exact build."""

    def act(account: Account) -> Build:
        service = FindFolder(account=account)
        owner = FolderOwner(email_address=SALES)
        inbox = Inbox(root=Root(account=account), _distinguished_id=DistinguishedFolderId(id="inbox", mailbox=owner))
        assert list(service.call([inbox], None, None, "IdOnly", "Shallow", 1, 0)) == []
        return service._version_hint.build

    async with _exchange(tls, release) as server:
        build = await _with(sign_in(server), act)
        assert list(server.logons) == [(SERVICE, True)]
    assert (build.major_version, build.minor_version, build.major_build, build.minor_build) == release.build


async def test_the_inbox_and_its_siblings_are_there(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """The account's own mailbox shows its folders, by delegation as by impersonation."""

    def act(account: Account) -> None:
        assert (account.inbox.name, account.inbox.folder_class, account.inbox.total_count) == ("Inbox", "IPF.Note", 0)
        assert account.calendar.name == "Calendar"
        account.inbox.refresh()
        names = {folder.name for folder in account.msg_folder_root.children}
        assert names == {"Inbox", "Drafts", "Sent Items", "Deleted Items", "Outbox", "Junk Email", "Calendar", "Contacts", "Tasks"}

    async with _exchange(tls) as server:
        await _with(sign_in(server), act)
        await _with(sign_in(server, user=SALES, access=DELEGATE), act)
        assert all(ok for _, ok in server.logons)


async def test_a_wrong_password_is_one_logon(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """exchangelib with a wrong password makes exactly one logon at the server."""
    async with _exchange(tls) as server:
        with pytest.raises(UnauthorizedError):
            await _with(sign_in(server, password="wrong"), _find_under_inbox)
        assert list(server.logons) == [(SERVICE, False)]


@pytest.mark.parametrize("user", ["CONTOSO\\svc-crm", SERVICE])
async def test_ntlm_signs_in_the_connection(tls: ssl.SSLContext, sign_in: SignIn, user: str) -> None:
    """A real NTLM client is let in by one logon, and its next request on the connection needs none."""

    def act(account: Account) -> None:
        _find_under_inbox(account)
        _find_under_inbox(account)

    async with _exchange(tls) as server:
        await _with(sign_in(server, user=user, auth_type=NTLM), act)
        assert [ok for _, ok in server.logons] == [True]


async def test_a_wrong_password_by_ntlm_is_one_failed_logon(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """A real NTLM client gets through the challenge, and its wrong answer is refused."""
    async with _exchange(tls) as server:
        with pytest.raises(UnauthorizedError):
            await _with(sign_in(server, user="CONTOSO\\svc-crm", password="wrong", auth_type=NTLM), _find_under_inbox)
        assert list(server.logons) == [("svc-crm", False)]


@pytest.mark.parametrize(
    ("mailbox", "error"),
    [(BOARD, ErrorImpersonateUserDenied), ("nobody@contoso.test", ErrorNonExistentMailbox)],
    ids=["not allowed", "not there"],
)
async def test_impersonation_is_checked(mailbox: str, error: type[Exception], tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """Acting as a mailbox needs the mailbox, and the right to act as it."""
    async with _exchange(tls) as server:
        with pytest.raises(error):
            await _with(sign_in(server, mailbox), _find_under_inbox)
        assert len(server.logons) == 1


@pytest.mark.parametrize(
    ("mailbox", "error"),
    [(BOARD, ErrorAccessDenied), ("nobody@contoso.test", ErrorNonExistentMailbox)],
    ids=["not allowed", "not there"],
)
async def test_delegation_is_checked(mailbox: str, error: type[Exception], tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """Without impersonation an account opens no mailbox but its own."""
    async with _exchange(tls) as server:
        with pytest.raises(error):
            await _with(sign_in(server, mailbox, user=SALES, access=DELEGATE), _find_under_inbox)


async def test_a_mail_is_sent(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """A message goes into the inboxes of its recipients here, and the sender keeps no copy; outsiders' are lost."""

    def act(account: Account) -> None:
        message = Message(account=account, subject="To whom", to_recipients=[BOARD, SALES, "outside@fabrikam.test"])
        message.send(save_copy=False)

    async with _exchange(tls) as server:
        await _with(sign_in(server), act)
        assert server.inboxes == {BOARD: ["To whom"], SALES: ["To whom"]}


async def test_messages_are_counted_by_when_they_came(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """The inbox says how many messages it holds, and a restriction on the time of receipt leaves out the older ones, page by page."""
    border = EWSDateTime(2026, 11, 3, tzinfo=EWSTimeZone("UTC"))

    def act(account: Account) -> tuple[int, list[str], list[str]]:
        newer = account.inbox.filter(datetime_received__gte=border).only("subject", "datetime_received")
        newer.page_size = 2
        older = account.inbox.filter(datetime_received__lt=border).only("subject")
        return account.inbox.total_count, [each.subject for each in newer], [each.subject for each in older]

    async with _exchange(tls) as server:
        for day in range(1, 6):
            server.receive(SALES, f"day {day}", datetime(2026, 11, day, tzinfo=UTC))
        count, newer, older = await _with(sign_in(server), act)
    assert (count, newer, older) == (5, ["day 3", "day 4", "day 5"], ["day 1", "day 2"])


async def test_sending_for_another_is_denied(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """Nobody sends in the name of a mailbox that they do not act in."""

    def act(account: Account) -> None:
        message = Message(account=account, author=FolderOwner(email_address=BOARD), subject="To whom", to_recipients=[SALES])
        with pytest.raises(ErrorSendAsDenied):
            message.send(save_copy=False)

    async with _exchange(tls) as server:
        await _with(sign_in(server), act)
        assert server.inboxes == {}


async def test_a_folder_that_is_not_there_is_not_found(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """A distinguished folder that the mailbox lacks is not found."""
    async with _exchange(tls) as server:
        with pytest.raises(ErrorFolderNotFound):
            await _with(sign_in(server), lambda account: account.archive_root)


async def test_convert_id_tells_the_version(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """ConvertId, by which clients ask for the version, refuses the made-up id in an answer that carries the version."""

    def act(account: Account) -> None:
        ids = [AlternateId(id="DUMMY", format="EwsId", mailbox=SALES)]
        (refused,) = ConvertId(protocol=account.protocol).call(ids, "EntryId")
        assert isinstance(refused, ErrorInvalidIdMalformed)

    async with _exchange(tls) as server:
        await _with(sign_in(server), act)


async def test_2007_knows_its_own_schema_alone(tls: ssl.SSLContext, sign_in: SignIn) -> None:
    """Exchange 2007 refuses a newer schema as invalid, and answers in its own."""
    async with _exchange(tls, releases.EXCHANGE_2007) as server:
        with pytest.raises(ErrorSchemaValidation):
            await _with(sign_in(server, build=EXCHANGE_2010_SP2), _find_under_inbox)
        assert await _with(sign_in(server, build=EXCHANGE_2007_SP1), _find_under_inbox) == []


def _ask(body: str, *, user: str = SALES, schema: str = "Exchange2010_SP2", release: Release = releases.EXCHANGE_2010) -> tuple[int, str]:
    """Status and response code of one envelope."""
    request = (
        f'<s:Envelope xmlns:s="{ews.SOAP}" xmlns:t="{ews.TYPES}" xmlns:m="{ews.MESSAGES}"><s:Header>'
        f'<t:RequestServerVersion Version="{schema}"/></s:Header><s:Body>{body}</s:Body></s:Envelope>'
    )
    status, answer = Store(release, frozenset({SALES})).answer(request.encode(), ACCOUNTS[user])
    codes = [element.text or "" for element in ElementTree.fromstring(answer).iter() if element.tag.endswith("}ResponseCode")]
    return status, codes[0]


def _get_folder(identifier: str) -> str:
    return f"<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape><m:FolderIds>{identifier}</m:FolderIds></m:GetFolder>"


_FIRST_OF_MANY = (
    '<m:FindFolder><m:IndexedPageFolderView Offset="first"/>'
    '<m:ParentFolderIds><t:DistinguishedFolderId Id="root"/></m:ParentFolderIds></m:FindFolder>'
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", (500, "ErrorSchemaValidation")),
        ("<m:SendItem/>", (500, "ErrorSchemaValidation")),
        ("<m:GetFolder/>", (500, "ErrorSchemaValidation")),
        (_FIRST_OF_MANY, (500, "ErrorSchemaValidation")),
        ('<m:CreateItem MessageDisposition="SaveOnly"><m:Items><t:Message/></m:Items></m:CreateItem>', (500, "ErrorSchemaValidation")),
        (_get_folder('<t:DistinguishedFolderId Id="calendar"/>'), (200, "NoError")),
        (_get_folder('<t:DistinguishedFolderId Id="root"/>'), (200, "NoError")),
        (_get_folder('<t:FolderId Id="AAMk"/>'), (200, "ErrorInvalidIdMalformed")),
        (_get_folder('<t:FolderId Id="none"/>'), (200, "ErrorInvalidIdMalformed")),
    ],
    ids=["no operation", "unknown operation", "nothing asked", "no number", "a draft", "own calendar", "own root", "foreign id", "no id"],
)
def test_requests_are_judged_one_by_one(body: str, expected: tuple[int, str]) -> None:
    """A request that does not fit the schema is a fault; one that asks for what is not there is answered."""
    assert _ask(body) == expected


def test_an_account_without_mailbox_must_name_one() -> None:
    """An account that has no mailbox of its own and names none is told to name one."""
    code = _ask(_get_folder('<t:DistinguishedFolderId Id="inbox"/>'), user=SERVICE)
    assert code == (200, ErrorMissingEmailAddress.__name__)


def test_a_schema_newer_than_the_server_is_refused() -> None:
    """A server from 2010 on refuses a schema that it does not know as an invalid version."""
    assert _ask("", schema="Exchange2013") == (500, "ErrorInvalidServerVersion")


def test_what_is_no_xml_is_a_fault() -> None:
    """A body that is no XML gets a fault, not a broken connection."""
    status, answer = Store(releases.EXCHANGE_2016, frozenset()).answer(b"no xml", ACCOUNTS[SALES])
    assert (status, b"ErrorSchemaValidation" in answer) == (500, True)


def test_folders_are_paged() -> None:
    """FindFolder gives as many folders as were asked for, from where they were asked for, and says whether more follow."""
    body = (
        '<m:FindFolder Traversal="Deep"><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>'
        '<m:IndexedPageFolderView MaxEntriesReturned="4" Offset="{}" BasePoint="Beginning"/>'
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="root"/></m:ParentFolderIds></m:FindFolder>'
    )
    pages = []
    for offset in (0, 4, 8):
        request = f'<s:Envelope xmlns:s="{ews.SOAP}" xmlns:t="{ews.TYPES}" xmlns:m="{ews.MESSAGES}"><s:Body>{body.format(offset)}</s:Body></s:Envelope>'
        answer = Store(releases.EXCHANGE_2016, frozenset({SALES})).answer(request.encode(), ACCOUNTS[SALES])[1]
        root = next(element for element in ElementTree.fromstring(answer).iter() if element.tag.endswith("}RootFolder"))
        pages.append((len(root[0]), root.get("IncludesLastItemInRange")))
    assert pages == [(4, "false"), (4, "false"), (2, "true")]

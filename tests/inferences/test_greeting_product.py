"""Which mail server answers, by what it says."""

from __future__ import annotations

import pytest

from probe.inferences.greeting_product import INFERENCE
from probe.model import vocabulary as v
from probe.model.inferences import Unsettled
from probe.tables.marks import generic_texts
from tests.inferences.known import Known, concluded, disputed, settled

_ONLINE = "+OK The Microsoft Exchange POP3 service is ready. [UwBHADIAUABSADAAMwBDAEEAMAAwADkANwAuAGEAcABjAHAAcgBkADAAMwAuAHAAcgBvAGQALgBvAHUAdABsAG8AbwBrAC4AYwBvAG0A]"


def _pop3(greeting: str | None = None, *capabilities: str) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: "pop3"}
    if greeting is not None:
        known[v.PROTOCOL_GREETING] = greeting
    if capabilities:
        known[v.PROTOCOL_CAPABILITIES] = capabilities
    return known


def _smtp(greeting: str, ehlo: str | None = None, *capabilities: str) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: "smtp", v.PROTOCOL_GREETING: greeting}
    if ehlo is not None:
        known[v.SMTP_EHLO_NAME] = ehlo
        known[v.PROTOCOL_CAPABILITIES] = capabilities
    return known


@pytest.mark.parametrize(
    ("known", "vendor", "product", "version"),
    [
        (_pop3("+OK Dovecot ready."), "Dovecot", "Dovecot", None),
        (_pop3("+OK hi", "CAPA", "TOP", "UIDL", "RESP-CODES", "SASL PLAIN"), "Dovecot", "Dovecot", None),
        (_pop3(None, "USER", "X-GOOGLE-RICO"), "Google", "Gmail", None),
        (_pop3("+OK hello from popgate 2.43 on pop106", "IMPLEMENTATION popgate 2.43"), "Yahoo", "Yahoo Mail", "2.43"),
        (_pop3("+OK The Microsoft Exchange POP3 service is ready."), "Microsoft", "Exchange Server", None),
        (_pop3("+OK hi", "TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER"), "Microsoft", "Exchange", None),
        (_pop3("+OK hi", "TOP", "UIDL", "SASL NTLM GSSAPI PLAIN", "USER"), "Microsoft", "Exchange Server", None),
        (_pop3("+OK Microsoft Exchange 2000 POP3 server version 6.0.6603.0 (host) ready."), "Microsoft", "Exchange Server", "6.0.6603.0"),
        (_pop3(_ONLINE), "Microsoft", "Exchange Online", None),
        (_pop3(_ONLINE, "TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER"), "Microsoft", "Exchange Online", None),
        (
            _pop3("+OK Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 (mail01) ready.", "TOP", "UIDL", "SASL NTLM", "USER"),
            "Microsoft",
            "Exchange Server 2003",
            "6.5.7638.1",
        ),
        (_smtp("220 mail.example ESMTP Postfix (Debian/GNU)"), "Postfix", "Postfix", None),
        (
            _smtp("220 mail.example ESMTP", "mail.example", "PIPELINING", "SIZE 10240000", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME"),
            "Postfix",
            "Postfix",
            None,
        ),
        (
            _smtp("220 mail.example ESMTP Exim 4.96 Mon", "mail.example Hello x [127.0.0.1]", "SIZE 1", "8BITMIME", "PIPELINING", "HELP"),
            "Exim",
            "Exim",
            "4.96",
        ),
        (_smtp("220 mail.example", "smtp.gmail.com at your service, [192.0.2.1]"), "Google", "Gmail", None),
        (_smtp("220 mail.example ESMTP Exim 4.98.1-27-gabc123 Mon"), "Exim", "Exim", "4.98.1-27-gabc123"),
        (_smtp("220 mail.example ESMTP MailEnable Service, Version: 0-10.34- ready at x"), "MailEnable", "MailEnable", "10.34"),
        (_smtp("220 outlook.office365.com Microsoft ESMTP MAIL Service ready at x"), "Microsoft", "Exchange Online", None),
        (_smtp("220 mail.example Microsoft ESMTP MAIL Service ready at x"), "Microsoft", "Exchange", None),
        (
            _smtp("220 mail.example Microsoft ESMTP MAIL Service, Version: 10.0.14393.2608 ready at x"),
            "Microsoft",
            "IIS SMTP Service",
            "10.0.14393.2608",
        ),
        (
            _smtp(
                "220 mail.example Microsoft ESMTP MAIL Service, Version: 6.0.3790.4675 ready at x",
                "mail.example Hello [192.0.2.1]",
                "XEXCH50",
            ),
            "Microsoft",
            "Exchange Server",
            None,
        ),
        (
            _smtp(
                "220 iCloud iscream SMTP proxy - p00-iscream-smtp-x 3.5.0 (2403B23)",
                "p00-iscream-smtp-x",
                "PIPELINING",
                "SIZE 28311552",
                "ETRN",
                "ENHANCEDSTATUSCODES",
                "8BITMIME",
            ),
            "Apple",
            "iCloud Mail",
            "3.5.0",
        ),
    ],
)
def test_marks_that_agree_tell_vendor_product_and_version(known: Known, vendor: str, product: str, version: str | None) -> None:
    """The most specific of the marks that agree is told, and a version only where one is shown."""
    assert settled(INFERENCE, v.SERVER_VENDOR, known) == vendor
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product
    assert settled(INFERENCE, v.SERVER_VERSION, known) == version


def test_imap_capabilities_are_read_in_one_line() -> None:
    """What an IMAP server lists is matched as it stood on the line."""
    known: Known = {
        v.ENDPOINT_SERVICE: "imap",
        v.PROTOCOL_CAPABILITIES_PLAIN: ("IMAP4rev1", "SASL-IR", "LOGIN-REFERRALS", "ID", "ENABLE", "IDLE", "LITERAL+"),
    }
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == "Dovecot"


_YAHOO = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 ID MOVE NAMESPACE XYMHIGHESTMODSEQ] IMAP4rev1 Hello"
_ICLOUD = "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN] ready"


@pytest.mark.parametrize(
    ("greeting", "product"),
    [
        (_YAHOO, "Yahoo Mail"),
        (_ICLOUD, "iCloud Mail"),
        ("* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] welcome", "Dovecot"),
        ("* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR LOGIN-REFERRALS ID ENABLE IDLE] welcome", "Dovecot"),
        ("* OK IMAP4rev1 Hello", None),
        ("* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN] IMAP4rev1 Hello", None),
    ],
)
def test_capabilities_within_an_imap_greeting_are_marks_too(greeting: str, product: str | None) -> None:
    """An IMAP greeting that lists capabilities is known by them, and a vague one without them stays unknown."""
    known: Known = {v.ENDPOINT_SERVICE: "imap", v.PROTOCOL_GREETING: greeting}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product


@pytest.mark.parametrize(
    ("known", "product", "marks"),
    [
        (
            {
                v.ENDPOINT_SERVICE: "imap",
                v.PROTOCOL_GREETING: "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+] Courier-IMAP ready.",
            },
            "Courier",
            ("capabilities: Dovecot", "greeting: Courier"),
        ),
        (_pop3("+OK Dovecot ready.", "USER", "X-GOOGLE-RICO"), "Dovecot", ("greeting: Dovecot", "capabilities: Gmail")),
        (
            _smtp("220 mail.example ESMTP Exim 4.96 Mon", "mail.example Hello x", "X-ANONYMOUSTLS", "X-EXPS GSSAPI NTLM"),
            "Exim",
            ("greeting: Exim 4.96", "ehlo: Exchange Server"),
        ),
    ],
)
def test_a_list_gives_way_to_a_greeting_that_says_another_name(known: Known, product: str, marks: tuple[str, ...]) -> None:
    """A list shows habits, which others share and imitate; the name that a greeting says counts before it, and both are told."""
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product
    assert sorted(settled(INFERENCE, v.SERVER_MARKS, known)) == sorted(marks)


def test_a_list_contradicts_a_greeting_that_is_known_by_its_habits_alone() -> None:
    """A greeting of Gmail's form says no name, so that a list of Dovecot's leaves it in doubt."""
    known: Known = {
        v.ENDPOINT_SERVICE: "imap",
        v.PROTOCOL_GREETING: "* OK Gimap ready for requests from 192.0.2.10 a1",
        v.PROTOCOL_CAPABILITIES: ("IMAP4rev1", "SASL-IR", "LOGIN-REFERRALS", "ID", "ENABLE", "IDLE", "LITERAL+"),
    }
    said = concluded(INFERENCE, known)[v.SERVER_PRODUCT]
    assert isinstance(said, Unsettled)
    assert said.conflicts


_LIKE_GMAIL = ("IMAP4rev1", "UNSELECT", "IDLE", "X-GM-EXT-1", "UIDPLUS")


def test_a_list_alone_gives_way_to_a_name_that_is_not_known() -> None:
    """A greeting that names a product and its version, of which nothing is known, leaves a list that is as another product's no mark of that one."""
    known: Known = {v.ENDPOINT_SERVICE: "imap", v.PROTOCOL_CAPABILITIES: _LIKE_GMAIL}
    named = known | {v.PROTOCOL_GREETING: "* OK Acme MailHub 4.2 IMAP4rev1 server ready"}
    said = concluded(INFERENCE, named)[v.SERVER_PRODUCT]
    assert isinstance(said, Unsettled)
    assert "Acme MailHub 4.2" in said.because
    assert "Gmail" in said.because
    assert settled(INFERENCE, v.SERVER_PRODUCT, named | {v.CERTIFICATE_NAMES: ("imap.gmail.com",)}) == "Gmail"
    assert settled(INFERENCE, v.SERVER_PRODUCT, known | {v.PROTOCOL_GREETING: "* OK IMAP4rev1 server ready"}) == "Gmail"


@pytest.mark.parametrize(
    ("service", "greeting", "product", "marks"),
    [
        ("smtp", "220 mail.example ESMTP Postfix + stunnel", "Postfix", ("greeting: stunnel (proxy)", "greeting: Postfix")),
        ("imap", "* OK [KAPABILITY IMAP4rev1] Dovecot ready. (stunnel)", "Dovecot", ("greeting: stunnel (proxy)", "greeting: Dovecot")),
        ("pop3", "+OK POP3 server ready + stunnel", None, ("greeting: stunnel (proxy)",)),
        ("imap", "* OK perdition ready on mail.example 0002a1b2", None, ("greeting: Perdition (proxy)",)),
        ("pop3", "+OK Proxy-POP server (DeleGate/9.9.13 by x) at mail.example starting.", None, ("greeting: DeleGate 9.9.13 (proxy)",)),
        ("smtp", "220 mail.example ESMTP HAProxy ready", None, ("greeting: HAProxy (proxy)",)),
        ("imap", "* OK nginx IMAP4 proxy ready", None, ("greeting: nginx (proxy)",)),
    ],
)
def test_a_proxy_is_told_as_one_and_not_as_the_server(service: str, greeting: str, product: str | None, marks: tuple[str, ...]) -> None:
    """A proxy's mark is told beside the server's; alone it says nothing of the server behind, and that is the reason."""
    known: Known = {v.ENDPOINT_SERVICE: service, v.PROTOCOL_GREETING: greeting}
    said = concluded(INFERENCE, known)
    assert said[v.SERVER_MARKS] == marks
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product
    if product is None:
        assert "proxy" in said[v.SERVER_PRODUCT].because
        assert not said[v.SERVER_PRODUCT].conflicts


def test_a_reply_to_ehlo_counts_without_its_list() -> None:
    """The first line of the reply to EHLO is a mark even where the list was not kept."""
    known: Known = {v.ENDPOINT_SERVICE: "smtp", v.SMTP_EHLO_NAME: "smtp.gmail.com at your service, [192.0.2.1]"}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == "Gmail"


def test_marks_that_disagree_are_told_and_nothing_is_concluded() -> None:
    """A greeting of Dovecot and a farewell of Gmail are neither's."""
    said = concluded(INFERENCE, _pop3("+OK Dovecot ready.") | {v.PROTOCOL_FAREWELL: "+OK Farewell."})
    assert said[v.SERVER_MARKS] == ("greeting: Dovecot", "farewell: Gmail")
    for key in (v.SERVER_VENDOR, v.SERVER_PRODUCT, v.SERVER_VERSION):
        assert isinstance(said[key], Unsettled)
        assert said[key].conflicts
    assert "Dovecot" in said[v.SERVER_PRODUCT].because
    assert "Gmail" in said[v.SERVER_PRODUCT].because


@pytest.mark.parametrize(
    ("service", "greeting", "names", "product", "marks"),
    [
        ("imap", "* OK ready", ("imap.gmail.com",), "Gmail", ("certificate: Gmail",)),
        (
            "imap",
            "* OK The Microsoft Exchange IMAP4 service is ready. [bQBhAGkAbAAwADEALgBjAG8AbgB0AG8AcwBvAC4AdABlAHMAdAA=]",
            ("*.Outlook.com", "OUTLOOK.OFFICE365.com"),
            "Exchange Online",
            ("greeting: Exchange", "certificate: Exchange Online"),
        ),
        (
            "smtp",
            "220 mail.contoso.test ESMTP Postfix",
            ("smtp.gmail.com",),
            None,
            ("greeting: Postfix", "certificate: Gmail"),
        ),
        ("smtp", "220 mail.contoso.test ESMTP Postfix", ("mail.contoso.test",), "Postfix", ("greeting: Postfix",)),
        ("pop3", None, ("pop.aol.com",), "Yahoo Mail", ("certificate: Yahoo Mail",)),
    ],
)
def test_a_hosted_service_is_known_by_its_certificate_too(
    service: str, greeting: str | None, names: tuple[str, ...], product: str | None, marks: tuple[str, ...]
) -> None:
    """Names in the certificate that clients of a service verify are a mark of it, which agrees with the others or contradicts them."""
    known: Known = {v.ENDPOINT_SERVICE: service, v.CERTIFICATE_NAMES: names}
    if greeting is not None:
        known[v.PROTOCOL_GREETING] = greeting
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product
    assert settled(INFERENCE, v.SERVER_MARKS, known) == marks


def test_several_servers_behind_one_name_are_known_by_what_all_of_them_say() -> None:
    """Greetings that differ from address to address contradict each other as texts, and still may show one product; or two, and then none."""
    one = {v.ENDPOINT_SERVICE: "pop3", v.PROTOCOL_GREETING: disputed("+OK Dovecot ready. <1.2@a>", "+OK Dovecot ready. <3.4@b>")}
    assert settled(INFERENCE, v.SERVER_PRODUCT, one) == "Dovecot"
    two = {
        v.ENDPOINT_SERVICE: "pop3",
        v.PROTOCOL_GREETING: disputed("+OK Dovecot ready.", "+OK The Microsoft Exchange POP3 service is ready."),
    }
    assert settled(INFERENCE, v.SERVER_PRODUCT, two) is None


def test_versions_that_disagree_leave_the_product_and_drop_the_version() -> None:
    """Two versions of one product are no version."""
    known = _pop3("+OK hello from popgate 2.43 on pop106", "IMPLEMENTATION popgate 2.99")
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == "Yahoo Mail"
    assert settled(INFERENCE, v.SERVER_VERSION, known) is None


@pytest.mark.parametrize(("service", "reads", "text"), [g for g in generic_texts() if g[1] == "greeting"])
def test_a_generic_greeting_stays_unknown(service: str, reads: str, text: str) -> None:
    """A greeting that many products send names none."""
    assert settled(INFERENCE, v.SERVER_PRODUCT, {v.ENDPOINT_SERVICE: service, v.PROTOCOL_GREETING: text}) is None


@pytest.mark.parametrize("service", ["ews", "tls"])
def test_only_mail_servers_are_known_by_their_words(service: str) -> None:
    """An EWS or bare TLS endpoint has no greeting to be known by."""
    assert settled(INFERENCE, v.SERVER_PRODUCT, {v.ENDPOINT_SERVICE: service, v.PROTOCOL_GREETING: "+OK Dovecot ready."}) is None


def test_silence_is_told_apart_from_unknown_words() -> None:
    """Where nothing was heard, that is the reason."""
    said = concluded(INFERENCE, {v.ENDPOINT_SERVICE: "pop3"})
    assert "received" in said[v.SERVER_PRODUCT].because


@pytest.mark.parametrize(
    ("fields", "product", "version"),
    [
        (("name=Cyrus IMAPD", "version=3.2.12", "vendor=Project Cyrus"), "Cyrus IMAP", "3.2.12"),
        (("NAME=Zimbra", "VERSION=8.6.0_GA_1153", "RELEASE=20141215151116"), "Zimbra Collaboration", "8.6.0_GA_1153"),
        (("os", "name=Dovecot"), "Dovecot", None),
        (('name=say "Dovecot"',), None, None),
        (("name",), None, None),
    ],
)
def test_an_imap_id_is_a_mark_too(fields: tuple[str, ...], product: str | None, version: str | None) -> None:
    """What an IMAP server calls itself tells product and version, also where its greeting is vague."""
    known: Known = {v.ENDPOINT_SERVICE: "imap", v.PROTOCOL_GREETING: "* OK ready", v.IMAP_ID: fields}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product
    assert settled(INFERENCE, v.SERVER_VERSION, known) == version


def test_an_imap_id_that_contradicts_the_greeting_is_told() -> None:
    """A server whose greeting and ID are marks of different products is called neither."""
    known: Known = {v.ENDPOINT_SERVICE: "imap", v.PROTOCOL_GREETING: "* OK Dovecot ready.", v.IMAP_ID: ("name=GImap",)}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) is None


def test_an_empty_imap_id_is_no_word() -> None:
    """A server that answers ID with NIL, and of which nothing else was heard, stays unknown."""
    assert settled(INFERENCE, v.SERVER_PRODUCT, {v.ENDPOINT_SERVICE: "imap", v.IMAP_ID: ()}) is None

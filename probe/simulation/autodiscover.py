"""The answers of Autodiscover to a signed-in account: by SOAP from Exchange 2010 on, by plain XML from 2007 on."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

SOAP_PATH = "/autodiscover/autodiscover.svc"
POX_PATH = "/autodiscover/autodiscover.xml"

_SOAP = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_POX_IN = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_POX = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_POX_ERROR = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"


def by_soap(request: bytes, mailboxes: frozenset[str], moved: Mapping[str, str], ews: str) -> bytes:
    """The answer to GetUserSettings for one mailbox: settings, a redirect to its new server, or an unknown user."""
    mailbox = (_parsed(request).findtext(f".//{{{_SOAP}}}Mailbox") or "").strip().lower()
    if (target := moved.get(mailbox)) is not None:
        kind = "RedirectUrl" if "://" in target else "RedirectAddress"
        user = f"<ErrorCode>{kind}</ErrorCode><ErrorMessage>Redirection.</ErrorMessage><RedirectTarget>{escape(target)}</RedirectTarget>"
    elif mailbox in mailboxes:
        setting = f'<UserSetting i:type="StringSetting"><Name>ExternalEwsUrl</Name><Value>{escape(ews)}</Value></UserSetting>'
        user = (
            '<ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true"/>'
            f"<UserSettingErrors/><UserSettings>{setting}</UserSettings>"
        )
    else:
        user = f"<ErrorCode>InvalidUser</ErrorCode><ErrorMessage>Invalid user: '{escape(mailbox)}'</ErrorMessage>"
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<GetUserSettingsResponseMessage xmlns="{_SOAP}"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
        f"<ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse>{user}</UserResponse></UserResponses>"
        "</Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"
    ).encode()


def by_pox(request: bytes, mailboxes: frozenset[str], moved: Mapping[str, str], ews: str) -> bytes:
    """The same in plain XML, where an unknown user is error 500."""
    mailbox = (_parsed(request).findtext(f".//{{{_POX_IN}}}EMailAddress") or "").strip().lower()
    if (target := moved.get(mailbox)) is not None:
        action, element = ("redirectUrl", "RedirectUrl") if "://" in target else ("redirectAddr", "RedirectAddr")
        account = f"<AccountType>email</AccountType><Action>{action}</Action><{element}>{escape(target)}</{element}>"
    elif mailbox in mailboxes:
        protocol = f"<Protocol><Type>EXCH</Type><ASUrl>{escape(ews)}</ASUrl><EwsUrl>{escape(ews)}</EwsUrl></Protocol>"
        account = f"<AccountType>email</AccountType><Action>settings</Action><MicrosoftOnline>False</MicrosoftOnline>{protocol}"
    else:
        error = '<Error Time="12:00:00.0" Id="1"><ErrorCode>500</ErrorCode><Message>The email address can\'t be found.</Message><DebugData/></Error>'
        return (
            f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{_POX_ERROR}"><Response>{error}</Response></Autodiscover>'.encode()
        )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{_POX_ERROR}"><Response xmlns="{_POX}">'
        f"<Account>{account}</Account></Response></Autodiscover>"
    ).encode()


def _parsed(request: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(request)  # noqa: S314  # from loopback, and expat bounds entities itself
    except ElementTree.ParseError:
        return ElementTree.Element("none")

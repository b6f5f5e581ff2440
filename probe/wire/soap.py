"""SOAP envelopes of requests to EWS ([MS-OXWSCORE]) and to Autodiscover ([MS-OXWSADISC]).

They are written as text, so that no library for XML is loaded for them.
"""

from __future__ import annotations

EWS_TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
EWS_MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_AUTODISCOVER = "http://schemas.microsoft.com/exchange/2010/Autodiscover"


def escaped(text: str) -> str:
    """A text as XML holds it, in an element or in quotes. The standard library's functions load much more than they do here."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(character, entity)
    return text


def ews_envelope(schema: str, impersonated: str | None, operation: str) -> bytes:
    """A request to EWS: an operation, as XML, in a version of the schema, as the account or as the mailbox that it impersonates."""
    acting = ""
    if impersonated is not None:
        address = f"<t:PrimarySmtpAddress>{escaped(impersonated)}</t:PrimarySmtpAddress>"
        acting = f"<t:ExchangeImpersonation><t:ConnectingSID>{address}</t:ConnectingSID></t:ExchangeImpersonation>"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_SOAP}" xmlns:t="{EWS_TYPES}" xmlns:m="{EWS_MESSAGES}">'
        f'<soap:Header><t:RequestServerVersion Version="{schema}"/>{acting}</soap:Header>'
        f"<soap:Body>{operation}</soap:Body></soap:Envelope>"
    ).encode()


def autodiscover_envelope(operation: str, url: str, request: str) -> bytes:
    """A request to Autodiscover at a URL: an operation, by its name, and what it asks, as XML."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_SOAP}" xmlns:a="{_ADDRESSING}" xmlns:d="{_AUTODISCOVER}">'
        "<soap:Header><d:RequestedServerVersion>Exchange2010</d:RequestedServerVersion>"
        f"<a:Action>{_AUTODISCOVER}/Autodiscover/{operation}</a:Action><a:To>{escaped(url)}</a:To></soap:Header>"
        f"<soap:Body><d:{operation}RequestMessage><d:Request>{request}</d:Request></d:{operation}RequestMessage></soap:Body></soap:Envelope>"
    ).encode()

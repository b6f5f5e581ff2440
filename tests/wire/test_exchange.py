"""Where Exchange writes its build."""

from __future__ import annotations

import pytest

from probe.wire.exchange import MAX_PAGE_BUILDS, application_build, build_of, manifest_build, mapi_build, page_builds, page_mark, soap_build
from tests.net.ews_stub import soap

_AUTODISCOVER = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><a:Action s:mustUnderstand="1">x</a:Action>'
    b'<h:ServerVersionInfo xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
    b"<h:MajorVersion>15</h:MajorVersion><h:MinorVersion>20</h:MinorVersion><h:MajorBuildNumber>9073</h:MajorBuildNumber>"
    b"<MinorBuildNumber>22</MinorBuildNumber><h:Version>Exchange2015</h:Version></h:ServerVersionInfo></s:Header><s:Body/></s:Envelope>"
)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (soap(""), "15.1.2507.57"),
        (soap("", version="MinorBuildNumber='046' MajorBuildNumber='2562' MinorVersion='2' MajorVersion = '15'"), "15.2.2562.46"),
        (soap("", version='MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507"'), None),
        (soap("", version='MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="x"'), None),
        (soap("", version='xMajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="1"'), None),
        (b'<s:Body><t:ServerVersionInfo MajorVersion="1" MinorVersion="1" MajorBuildNumber="1" MinorBuildNumber="1"/></s:Body>', None),
        (b"<ServerVersionInfo " + b" " * 5000 + b"/>", None),
        (b"", None),
        (_AUTODISCOVER, "15.20.9073.22"),
        (_AUTODISCOVER.replace(b"<MinorBuildNumber>22</MinorBuildNumber>", b""), None),
        (_AUTODISCOVER.replace(b"15<", b"0<"), None),
        (b"<h:ServerVersionInfo>" + b"<MajorVersion>" * 5000, None),
    ],
)
def test_the_version_is_read_whole_or_not_at_all(answer: bytes, version: str | None) -> None:
    """ServerVersionInfo counts where it stands in the header with all four numbers."""
    build = soap_build(answer)
    assert (None if build is None else str(build)) == version


@pytest.mark.parametrize("text", ["", "hello", "15", "1.2.3.4.5", "15.1.-1.2", "9" * 400, "0.0.0.0", "15.0.847.4040"])
def test_what_is_no_build_is_none(text: str) -> None:
    """Blank, nonsense and noughts are no build, nor is a fourth number that Exchange never had."""
    assert build_of(text) is None


def test_pages_of_every_age_show_their_build() -> None:
    """2003 and 2007 show four numbers in the addresses of the page's parts, 2013 and later three; one that repeats counts once."""
    assert [str(b) for _, b in page_builds('<img src="/exchweb/6.5.7651.60/img/logo.gif">')] == ["6.5.7651.60"]
    assert [
        str(b) for _, b in page_builds('href="/owa/8.3.485.1/themes/base/logon.css" src="/owa/8.3.485.1/scripts/premium/flogon.js"')
    ] == ["8.3.485.1"]
    assert [str(b) for _, b in page_builds('href="/owa/auth/15.2.1748/themes/resources/favicon.ico"')] == ["15.2.1748"]
    assert [str(b) for _, b in page_builds('href="/ecp/15.1.2507.57/themes/default/x.css"')] == ["15.1.2507.57"]
    assert len(list(page_builds("".join(f"/owa/15.1.{n}/" for n in range(50))))) == MAX_PAGE_BUILDS


def test_marks_of_the_logon_page() -> None:
    """The comment that ASP.NET leaves in the page, and the address of the error page, are Outlook on the web's own."""
    assert page_mark("<!-- OwaPage = ASP.auth_logon_aspx -->") is not None
    assert page_mark("https://mail.example/owa/auth/errorFE.aspx?httpCode=500") is not None
    assert page_mark("<html><title>Outlook</title></html>") is None


def test_the_tool_s_own_version_counts() -> None:
    """Of the identities in a manifest only the export tool's is built with Exchange."""
    other = '<assemblyIdentity name="Microsoft.Windows.CommonLanguageRuntime" version="4.0.30319.0"/>'
    tool = '<assemblyIdentity name="microsoft.exchange.ediscovery.exporttool.application" version="15.2.1748.36"/>'
    assert manifest_build(other) is None
    found = manifest_build(other + tool)
    assert found is not None
    assert str(found[1]) == "15.2.1748.36"


def test_mapi_names_the_build_twice() -> None:
    """In a header with leading noughts, and on a page of its own; grommunio's number is none of Exchange."""
    assert str(application_build("Exchange/15.01.2176.009")) == "15.1.2176.9"
    assert application_build("Exchange/15.00.0847.4040") is None
    assert application_build("Exchange") is None
    assert application_build("Exchange/15.01.2176.009 and more") is None
    found = mapi_build("<h1>Exchange MAPI/HTTP Connectivity Endpoint</h1><p>Version: 15.1.2176.9<br>Vdir Path: /mapi/nspi/</p>")
    assert found is not None
    assert str(found[1]) == "15.1.2176.9"
    assert mapi_build("Version: 15.1.2176.9") is None

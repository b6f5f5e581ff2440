"""Where Exchange writes its build: headers, pages, manifests and SOAP (places seen in collected answers, 2007 to SE, read 2026-11).

Each reader returns what a text says and no more. Whether to believe it is decided elsewhere. Input may have any length and any content:
every pattern is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.model.kinds import Build
from probe.tables.exchange import LARGEST_FOURTH_NUMBER

MAX_PAGE_BUILDS = 4
"""Different builds taken from one page; a real one shows one."""

# Patterns are texts, here and wherever few conversations want them: `re` compiles each when it is first looked for, and keeps it.

# 2010 and older show four numbers there, later ones three; Exchange 2003 served its pages' parts under /exchweb/.
_PAGE_BUILD = r"(?i)/(?:owa|ecp|exchweb)/(?:auth/)?(\d{1,3}\.\d{1,3}\.\d{1,5}(?:\.\d{1,5})?)/"
_PAGE_MARK = r"(?i)<!--\s?OwaPage\s?=\s?ASP\.|/owa/auth/errorFE\.aspx"
_OLD_LOGON = r"(?i)/exchweb/bin/auth/(?:owalogon\.asp|owaauth\.dll)"
_MANIFEST_IDENTITY = r"(?i)<(?:\w{1,20}:)?assemblyIdentity\s([^<>]{0,1000})>"
_MANIFEST_VERSION = r"(?i)\bversion\s?=\s?[\"']([\d.]{5,30})[\"']"
_MAPI_PAGE = r"Exchange MAPI/HTTP Connectivity Endpoint"
_MAPI_VERSION = r"Version:\s{0,9}(\d{1,3}(?:\.\d{1,5}){3})\b"
_APPLICATION = r"Exchange/(\d{1,3}(?:\.\d{1,5}){3})\Z"

_VERSION_INFO = rb"<(?:[\w.-]{1,40}:)?ServerVersionInfo\b([^<>]{0,1000})>"
_VERSION_INFO_END = rb"</(?:[\w.-]{1,40}:)?ServerVersionInfo\s{0,9}>"
_VERSION_ATTRIBUTE = rb"(?<![\w:.-])(M(?:aj|in)or(?:Version|BuildNumber))\s{0,9}=\s{0,9}[\"'](\d{1,6})[\"']"
_VERSION_ELEMENT = rb"<(?:[\w.-]{1,40}:)?(M(?:aj|in)or(?:Version|BuildNumber))(?:\s[^<>]{0,200})?>\s{0,9}(\d{1,6})\s{0,9}</"
_VERSION_PARTS = (b"MajorVersion", b"MinorVersion", b"MajorBuildNumber", b"MinorBuildNumber")
_ELEMENTS_WITHIN = 2000
"""Bytes of ServerVersionInfo in the form with elements; real ones have about 300."""


def build_of(text: str) -> Build | None:
    """The build in a text; None where it is blank, all zeros, or something that Exchange never says."""
    try:
        build = Build.parse(text.strip())
    except ValueError:
        return None
    is_possible = build.parts[0] > 0 and max(build.parts[3:], default=0) <= LARGEST_FOURTH_NUMBER
    return build if is_possible else None


def page_builds(page: str) -> Iterator[tuple[str, Build]]:
    """The builds in the addresses of a page's parts, each once, with the words that show it."""
    for shown in list(dict.fromkeys(match[1] for match in re.finditer(_PAGE_BUILD, page)))[:MAX_PAGE_BUILDS]:
        if (build := build_of(shown)) is not None:
            yield shown, build


def page_mark(page: str) -> str | None:
    """Words that only a page of Outlook on the web has."""
    mark = re.search(_PAGE_MARK, page)
    return None if mark is None else mark[0]


def old_logon(page: str) -> str | None:
    """Words that only the logon page of Exchange 2003 has, and of 2007 at the old address, or what sends there."""
    mark = re.search(_OLD_LOGON, page)
    return None if mark is None else mark[0]


def manifest_build(manifest: str) -> tuple[str, Build] | None:
    """The version of the export tool, which is built with Exchange, and the words that show it."""
    for identity in re.finditer(_MANIFEST_IDENTITY, manifest):
        version = re.search(_MANIFEST_VERSION, identity[1])
        if "exporttool" in identity[1].lower() and version is not None and (build := build_of(version[1])) is not None:
            return version[1], build
    return None


def mapi_build(page: str) -> tuple[str, Build] | None:
    """The build on the page of MAPI over HTTP, and the words that show it."""
    version = re.search(_MAPI_VERSION, page) if re.search(_MAPI_PAGE, page) else None
    build = None if version is None else build_of(version[1])
    return None if version is None or build is None else (version[1], build)


def application_build(header: str) -> Build | None:
    """The build in an `X-ServerApplication` header, as in `Exchange/15.01.2176.009`."""
    match = re.match(_APPLICATION, header.strip())
    return None if match is None else build_of(match[1])


def soap_build(answer: bytes) -> Build | None:
    """The four numbers of ServerVersionInfo in a SOAP header: attributes in EWS, elements in Autodiscover; None where not all are there."""
    before_body = re.split(rb"<(?:[\w.-]{1,40}:)?Body\b", answer, maxsplit=1)[0]
    info = re.search(_VERSION_INFO, before_body)
    if info is None:
        return None
    numbers = dict(re.findall(_VERSION_ATTRIBUTE, info[1]))
    if not numbers:
        content = re.split(_VERSION_INFO_END, before_body[info.end() : info.end() + _ELEMENTS_WITHIN], maxsplit=1)[0]
        numbers = dict(re.findall(_VERSION_ELEMENT, content))
    if not all(part in numbers for part in _VERSION_PARTS):
        return None
    return build_of(".".join(str(int(numbers[part])) for part in _VERSION_PARTS))

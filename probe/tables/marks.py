"""Fingerprints: marks in the texts of mail servers that identify a product."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Literal

from probe.model.estate import Service
from probe.model.values import dataclass
from probe.tables.exchange import EXCHANGE_ONLINE, UNTOLD_EXCHANGE, exchange_servers
from probe.tables.exchange_marks import imitators
from probe.tables.files import toml

MAX_FINGERPRINTED = 8192
"""Characters of a text that are searched. The longest CAPA or EHLO list seen has under 1,000."""


Reads = Literal["greeting", "ehlo", "capabilities", "id", "help", "farewell", "certificate"]


@dataclass(frozen=True, slots=True)
class Example:
    """A text as it was received, and the version that it shows."""

    text: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A mark that identifies a product, and the texts that show it."""

    id: str
    services: frozenset[Service]
    reads: Reads
    written: str
    """The pattern as it stands in the table. Each line of a list is matched by itself with ^ and $; \\A binds to the beginning of the text."""
    vendor: str
    product: str
    fronts: tuple[str, ...]
    """Products that may contain this one, and whose own marks take precedence."""
    source: str
    examples: tuple[Example, ...]
    counterexamples: tuple[str, ...]
    is_bare_name: bool
    """Whether it is only the product's name in a sentence: every other mark takes precedence."""
    names: tuple[str, ...] = ()
    """Every text that the pattern matches contains one of these, so that other texts need no match; empty where there is none."""
    is_proxy: bool = False
    """Whether it is the mark of a proxy, which shows nothing of the mail server behind it."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled at first use: a process that only speaks SMTP needs a third of them, and all take a fifth of a second."""
        return _compiled(self.written)


@cache
def _compiled(written: str) -> re.Pattern[str]:
    return re.compile(written, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Match:
    """A match of a fingerprint in a text."""

    fingerprint: Fingerprint
    version: str | None
    says_its_name: bool
    """Whether it is a greeting that contains the product's name."""


@cache
def fingerprints() -> tuple[Fingerprint, ...]:
    """Every fingerprint, in the order of files and entries."""
    marks = _written()
    return (
        *marks,
        *(mark for entry in _named_products() for mark in _bare_names(entry)),
        *(mark for product in greeting_products() for mark in _names_in_place(product)),
    )


@cache
def _written() -> tuple[Fingerprint, ...]:
    from importlib.resources import files

    folder = files("probe.data").joinpath("fingerprints")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(_fingerprint(entry) for name in names for entry in toml(f"fingerprints/{name}").get("fingerprint", ()))


@cache
def _named_products() -> tuple[dict[str, Any], ...]:
    return tuple(toml("product_names.toml")["product"])


@dataclass(frozen=True, slots=True)
class GreetingProduct:
    """A product that its greeting identifies, with its protocols and the names that a greeting may use."""

    product: str
    vendor: str
    services: frozenset[Service]
    names: tuple[str, ...]
    placed: frozenset[Service]
    """Where its names are marks only beside the protocol's name; elsewhere they are marks anywhere in a greeting."""
    is_proxy: bool


@cache
def greeting_products() -> tuple[GreetingProduct, ...]:
    """Every product of which a greeting of some protocol is known."""
    named = {entry["product"]: entry for entry in _named_products()}
    spoken = {entry["product"]: entry for entry in toml("product_protocols.toml")["product"]}
    greeting: dict[str, list[Fingerprint]] = {}
    for mark in _written():
        if mark.reads == "greeting":
            greeting.setdefault(mark.product, []).append(mark)
    found = []
    for product, marks in greeting.items():
        entry = named.get(product) or spoken.get(product) or {}
        there = frozenset(map(Service, entry.get("services", _MAIL)))
        services = there.union(*(mark.services for mark in marks))
        # Both tables may have a name for it: one for any sentence, one only for its place.
        names = [name for table in (named, spoken) if product in table for name in table[product].get("names", (product,))]
        found.append(
            GreetingProduct(
                product=product,
                vendor=marks[0].vendor,
                services=services,
                names=tuple(names if product in named or product in spoken else (product,)),
                placed=services - there if product in named and product not in spoken else services,
                is_proxy=marks[0].is_proxy,
            )
        )
    return tuple(found)


_MAIL = ("pop3", "smtp", "imap")


def _fingerprint(entry: dict[str, Any]) -> Fingerprint:
    return Fingerprint(
        id=entry["id"],
        services=frozenset(map(Service, entry["services"])),
        reads=entry["reads"],
        written=entry["pattern"],
        vendor=entry["vendor"],
        product=entry["product"],
        fronts=tuple(entry.get("fronts", ())),
        source=entry["source"],
        examples=tuple(Example(e["text"], e.get("version")) for e in entry["examples"]),
        counterexamples=tuple(entry.get("counterexamples", ())),
        is_bare_name=False,
        is_proxy=entry.get("proxy", False),
    )


def _bare_names(entry: dict[str, Any]) -> Iterator[Fingerprint]:
    """The marks that are only a name, with the version that follows it, if any: in a sentence, or in a field of the protocol."""
    services = frozenset(map(Service, entry.get("services", _MAIL)))
    names, last = "|".join(re.escape(name) for name in sorted(entry["names"], key=len, reverse=True)), entry["names"][-1]
    given = tuple(Example(e["text"], e.get("version")) for e in entry["examples"])
    said = _NAMED % names
    yield _bare_name(entry, "greeting", services, said, given, tuple(entry.get("counterexamples", ())))
    if Service.SMTP in services:
        yield _bare_name(entry, "help", frozenset({Service.SMTP}), said, (Example(f"214 {last} 1.2.3", "1.2.3"),))
    yield _bare_name(entry, "farewell", services, said, (Example(f"221 mail.example.com {last} closes", None),))
    if Service.POP3 in services:
        field = _IMPLEMENTATION % names
        yield _bare_name(entry, "capabilities", frozenset({Service.POP3}), field, (Example(f"TOP\nIMPLEMENTATION {last} 1.2.3", "1.2.3"),))
    if Service.IMAP in services:
        field = _ID_NAME % names
        yield _bare_name(entry, "id", frozenset({Service.IMAP}), field, (Example(f'("name" "{last}" "version" "1.2.3")', "1.2.3"),))


def _bare_name(
    entry: dict[str, Any],
    reads: Reads,
    services: frozenset[Service],
    written: str,
    examples: tuple[Example, ...],
    counterexamples: tuple[str, ...] = (),
) -> Fingerprint:
    mark = f"named-{re.sub('[^a-z0-9]+', '-', entry['product'].lower()).strip('-')}"
    return Fingerprint(
        id=mark if reads == "greeting" else f"{mark}-{reads}",
        services=services,
        reads=reads,
        written=written,
        vendor=entry["vendor"],
        product=entry["product"],
        fronts=(),
        source=entry["source"],
        examples=examples,
        counterexamples=counterexamples,
        is_bare_name=reads in ("greeting", "help", "farewell"),
        names=tuple(entry["names"]),
        is_proxy=entry.get("proxy", False),
    )


def _names_in_place(known: GreetingProduct) -> Iterator[Fingerprint]:
    """The marks that are a product's name beside the protocol's, for products whose name in a sentence is no mark."""
    if not known.names:
        return
    mark = f"placed-{re.sub('[^a-z0-9]+', '-', known.product.lower()).strip('-')}"
    names = "|".join(re.escape(name) for name in sorted(known.names, key=len, reverse=True))
    for where, services, host, said in (
        ("mailbox", known.placed - {Service.SMTP}, r"(?:\S{1,255} +)?", "+OK mail.example.com POP3: %s 1.2.3 at work"),
        ("smtp", known.placed & {Service.SMTP}, r"\S{1,255} +", "220 mail.example.com SMTP: %s 1.2.3 at work"),
    ):
        if services:
            yield Fingerprint(
                id=f"{mark}-{where}",
                services=services,
                reads="greeting",
                written=rf"\A{host}" + _IN_PLACE % names,
                vendor=known.vendor,
                product=known.product,
                fronts=(),
                source="the product's name where a greeting has it, as in another protocol",
                examples=(Example(said % known.names[-1], "1.2.3"),),
                counterexamples=(),
                is_bare_name=True,
                names=known.names,
                is_proxy=known.is_proxy,
            )


_NOT_MEANT = (
    r"\b(?i:not?|isn't|aren't|(?:un)?like|former(?:ly)?|old|once|was|were|used|than|for(?! (?:win|nt\b|linux|unix|netware|novell|mac))|from|instead"
    r"|replac\w*|emulat\w*|imitat\w*|pretend\w*|compatib\w*|fake|honeypot|clone|similar|migrat\w*|behind|protect\w*|moved|never|fork|based)\b"
)
"""Words beside which a name need not be that of the product that answers."""

_VERSION_AFTER = (
    r"(?:(?:\(TM\)|[ ,]+(?i:mail ?server|server|mta|gateway|enterprise|professional|pro|standard|free|edition|e?smtp|pop3?|imap4?(?:rev[12])?|service)){0,4}"
    r"[ ,/(\[-]{1,3}(?i:v|ver\.?|version|release)?[ .:]{0,2}(?P<version>\d{1,5}(?:\.\d{1,6}){1,4}(?:[a-z]\d{0,3})?(?:[-_]\d{1,5})?)(?![\w@]))?"
)
_NAMED = (
    # SMTP begins with the host name, POP3 and IMAP may begin with the product's name.
    r"\A(?:[^\n]{0,100}[\s(\[|,;:/'*])?(?:%s)(?![\w@]|[.-][A-Za-z])"
    # Many names are also those of firms, schools and places.
    r"(?! (?:[\w']{1,20} )?(?i:bank|insurance|holdings|homes|hotels?|ltd|limited|inc|corp|corporation|company|college|school|academy|university"
    r"|hospital|church|club|street|road|cent(?:er|re)|newspapers?|fans?|users?|clients?|customers?)\b)" + _VERSION_AFTER
)
_PROTOCOL = r"(?:E?SMTP|POP3?|IMAP4?(?:rev[12])?)"
_IN_PLACE = (
    rf"(?P<protocol>{_PROTOCOL}[ :,(-]{{1,3}}(?:(?i:server|service|mail)[ :,(-]{{1,3}}){{0,2}})?(?:%s)(?![\w@]|[.-][A-Za-z])"
    rf"(?(protocol)|(?=[ ,/(\[-]{{1,3}}[^\n]{{0,40}}?\b{_PROTOCOL}(?![\w-])))" + _VERSION_AFTER
)

_VERSION = r"(?P<version>\d{1,5}(?:\.\w{1,12}){1,5}(?:-\d{1,6})?)"
_IMPLEMENTATION = (
    # RFC 2449 section 6.9: a word or two about the server, often with hyphens for blanks.
    r"^IMPLEMENTATION[ -](?:%s)(?![\w@])(?:[ -][A-Za-z()34]{1,14}){0,4}(?:[ /,_-](?i:v\.?|version[ -])?" + _VERSION + r"\b)?"
)
_ID_NAME = (
    r'\A\((?:[^\n]{0,300} )?(?i:"name") "(?:%s)(?! ?(?:[Cc]lient|[Pp]roxy))[^"\n]{0,40}"(?:[^\n]{0,300}?(?i:"version") " ?[vV]?'
    + _VERSION
    + r"\b)?"
)


_REMEMBERED_TEXTS = 512
"""Texts whose marks are cached, of at most `MAX_FINGERPRINTED` characters: servers of one kind send the same texts, and each is looked up more than once."""


def matches(service: Service, reads: str, text: str) -> tuple[Match, ...]:
    """Every fingerprint of a service that matches a text. A greeting is given as received, lists without their codes.

    An IMAP greeting with a list of capabilities is searched as such a list too. What a proxy adds to the text of the server behind it
    is removed before marks of servers are searched for.
    """
    return _matches(service, reads, text[:MAX_FINGERPRINTED])


@lru_cache(_REMEMBERED_TEXTS)
def _matches(service: Service, reads: str, text: str) -> tuple[Match, ...]:
    readable = {reads: text}
    if reads in ("greeting", "help", "farewell"):
        readable = {reads: bare_greeting(text)}
        if reads == "greeting" and service is Service.IMAP and (announced := _ANNOUNCED.match(text)):
            readable["capabilities"] = announced[1]
    proxies = _found(service, readable, is_proxy=True)
    for mark, hit in proxies:
        if hit.groupdict().get("added"):
            readable[mark.reads] = readable[mark.reads][: hit.start("added")] + readable[mark.reads][hit.end("added") :]
    return tuple(_match(mark, hit) for mark, hit in (*proxies, *_found(service, readable, is_proxy=False)))


def _match(mark: Fingerprint, hit: re.Match[str]) -> Match:
    said = mark.reads == "greeting" and any(name in hit[0] for name in mark.names or (mark.product.partition(" ")[0],))
    return Match(mark, hit.groupdict().get("version"), says_its_name=said)


def _found(service: Service, readable: dict[str, str], *, is_proxy: bool) -> list[tuple[Fingerprint, re.Match[str]]]:
    """The marks in texts, without bare names where there are other marks."""
    # Texts are bounded, and patterns are anchored and without nested repetition, so hostile texts cost no more than others.
    likely = (
        f for f in _wanted(service, tuple(readable), is_proxy=is_proxy) if not f.names or any(map(readable[f.reads].__contains__, f.names))
    )
    meant = (f for f in likely if not f.is_bare_name or _is_meant(readable[f.reads], f.names))
    found = [(f, hit) for f in meant if (hit := f.pattern.search(readable[f.reads])) is not None]
    return [(f, hit) for f, hit in found if not f.is_bare_name] or found


@cache
def _wanted(service: Service, reads: tuple[str, ...], *, is_proxy: bool) -> tuple[Fingerprint, ...]:
    """The fingerprints, in their order, that are looked for in such texts of a service."""
    return tuple([f for f in fingerprints() if f.is_proxy is is_proxy and service in f.services and f.reads in reads])


def _is_meant(text: str, names: tuple[str, ...]) -> bool:
    """Whether a sentence names the product that answers, rather than excluding it; words of the name itself do not count."""
    line = text.partition("\n")[0]
    for name in names:
        line = line.replace(name, "")
    return re.search(_NOT_MEANT, line) is None


_NAME_AND_VERSION = r"(?<![\w@.-])(?:[A-Z][\w+&'-]{1,30}(?: [A-Z][\w+&'-]{1,30}){0,3})[ /-](?i:v|ver\.?|version|release)?[ .:]{0,2}\d{1,4}(?:\.\d{1,5}){1,4}(?![\w@])"
# Words before a number that is no product version: those of the protocol, and a welcome to an address.
_NO_NAME = r"(?i:e?smtp|pop3?|imap4?(?:rev[12])?|mail|server|service|gateway|version|release|build|ready|hello|welcome|tls|ssl|ok|the|your|protocol|host|client|ipv?[46]?|port)"


def named_in_greeting(text: str) -> str | None:
    """The name before a version in a greeting, whether or not the product is known."""
    for found in re.finditer(_NAME_AND_VERSION, bare_greeting(text).partition("\n")[0]):
        words = found[0].split()
        while words and re.fullmatch(_NO_NAME, words[0]):
            words = words[1:]
        if words and words[0][0].isupper():
            return " ".join(words)
    return None


_STATUS = re.compile(r"(?:\d{3}(?:[ -]|$)|\+OK *|-ERR *|\* +(?:OK|PREAUTH|BYE|NO|BAD) *)")
_RESPONSE_CODE = re.compile(r"\[[A-Z][A-Z-]*(?: [^\]]*)?\] *")
# RFC 9051 section 7.1. stunnel misspells it, so that clients ignore what the server behind it lists without STARTTLS.
_ANNOUNCED = re.compile(r"\* +(?:OK|PREAUTH) +\[[CK]APABILITY +([^\]\r\n]*)\]")
_STAMP = re.compile(r"<[^<>\s]*@[^<>\s]*>,? *")
_BASE64 = re.compile(r"\[([A-Za-z0-9+/]{24,1024}={0,2})\]\s*\Z")


def bare_greeting(text: str) -> str:
    """A greeting without status, response code and APOP timestamp, and with the encoded host name of Exchange made readable."""
    lines = text[:MAX_FINGERPRINTED].splitlines() or [""]
    lines = [line[found.end() :] if (found := _STATUS.match(line)) else line for line in lines]
    for prefix in (_RESPONSE_CODE, _STAMP):
        if found := prefix.match(lines[0]):
            lines[0] = lines[0][found.end() :]
    bare = "\n".join(line.strip() for line in lines)
    # Exchange Online ends its greeting with the server's name as base64 of UTF-16LE.
    return _BASE64.sub(lambda hidden: f"[{_revealed(hidden[1])}]", bare)


def _revealed(hidden: str) -> str:
    """The host name in base64 of UTF-16LE; other text is kept."""
    try:
        name = base64.b64decode(hidden, validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return hidden
    return name if re.fullmatch(r"[A-Za-z0-9.-]{1,253}", name) else hidden


@cache
def generic_texts() -> tuple[tuple[Service, str, str], ...]:
    """Texts that many products send: service, kind, text. No fingerprint may match one."""
    entries: Iterable[dict[str, str]] = toml("fingerprints/generic.toml")["generic"]
    return tuple((Service(e["service"]), e["reads"], e["text"]) for e in entries)


@cache
def products() -> Mapping[str, str]:
    """Every product that can be identified, by its name in lower case, as facts and rules write it."""
    exchange = (*exchange_servers(), EXCHANGE_ONLINE, *UNTOLD_EXCHANGE)
    return {name.lower(): name for name in (*(mark.product for mark in fingerprints()), *imitators(), *exchange)}


def product_in(words: str) -> str:
    """The product that the operator declares, as in `products`, whatever the case and the version after it; else the declared text."""
    said = re.sub(r"\A(?:Microsoft )?Exchange (?=[0-9]{4}\b|SE\b)", "Exchange Server ", " ".join(words.split()), flags=re.IGNORECASE)
    known = (*exchange_servers(), EXCHANGE_ONLINE, *UNTOLD_EXCHANGE)
    named = [name for name in known if re.match(rf"{re.escape(name)}(?![\w-])", said, re.IGNORECASE)]
    if named:
        return max(named, key=len)
    product, _, version = said.rpartition(" ")
    bare = product if product and re.fullmatch(r"v?[0-9][\w.~+-]*", version) else said
    return products().get(bare.lower(), words)

"""The fingerprints against their own examples, and against texts that must stay unknown."""

from __future__ import annotations

import time
import tomllib
from importlib.resources import files

import pytest

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.tables.files import toml
from probe.tables.marks import (
    MAX_FINGERPRINTED,
    Example,
    Fingerprint,
    GreetingProduct,
    bare_greeting,
    fingerprints,
    generic_texts,
    greeting_products,
    matches,
    named_in_greeting,
)

_EXAMPLES = [pytest.param(f, e, id=f"{f.id}-{n}") for f in fingerprints() for n, e in enumerate(f.examples)]
_COUNTEREXAMPLES = [pytest.param(f, text, id=f"{f.id}-{n}") for f in fingerprints() for n, text in enumerate(f.counterexamples)]


@pytest.mark.parametrize(("fingerprint", "example"), _EXAMPLES)
def test_a_fingerprint_knows_its_examples_and_the_version_that_they_show(fingerprint: Fingerprint, example: Example) -> None:
    """Each example of a fingerprint is matched by it, with the version written at the example."""
    found = [m for s in fingerprint.services for m in matches(s, fingerprint.reads, example.text) if m.fingerprint is fingerprint]
    assert found
    assert {m.version for m in found} == {example.version}


@pytest.mark.parametrize(("fingerprint", "example"), _EXAMPLES)
def test_no_fingerprint_of_another_product_matches_an_example(fingerprint: Fingerprint, example: Example) -> None:
    """What one product says is no other product's mark, unless that names the family it belongs to, or a proxy speaks for a server."""
    for service in fingerprint.services:
        for match in (m for m in matches(service, fingerprint.reads, example.text) if m.fingerprint.is_proxy is fingerprint.is_proxy):
            assert v.SERVER_PRODUCT.reconcile(match.fingerprint.product, fingerprint.product) is not None


@pytest.mark.parametrize(("fingerprint", "text"), _COUNTEREXAMPLES)
def test_a_fingerprint_leaves_its_counterexamples_alone(fingerprint: Fingerprint, text: str) -> None:
    """A counterexample is not matched by the fingerprint that names it."""
    for service in fingerprint.services:
        assert fingerprint not in [m.fingerprint for m in matches(service, fingerprint.reads, text)]


@pytest.mark.parametrize(("service", "reads", "text"), generic_texts())
def test_a_generic_text_is_nobodys_mark(service: Service, reads: str, text: str) -> None:
    """Texts that many products say, and host names that name a product, are matched by no fingerprint."""
    assert matches(service, reads, text) == ()


def test_ids_are_unique_and_products_have_one_vendor() -> None:
    """Every fingerprint has an id of its own, and every product one vendor."""
    ids = [f.id for f in fingerprints()]
    assert len(ids) == len(set(ids))
    vendors: dict[str, set[str]] = {}
    for fingerprint in fingerprints():
        vendors.setdefault(fingerprint.product, set()).add(fingerprint.vendor)
    assert all(len(names) == 1 for names in vendors.values())


_ALIKE = {
    Service.SMTP: (
        "220 mail.example.com {} ESMTP ready",
        "220 mail.example.com ESMTP {}",
        "220 mail.example.com ESMTP {} 1.2.3; Sat, 28 Nov 2026 10:00:00 +0000",
        "220 mail.example.com {} 1.2.3 ESMTP ready",
    ),
    Service.POP3: (
        "+OK {} POP3 server ready <1.2@mail.example.com>",
        "+OK mail.example.com POP3 {} ready",
        "+OK {} 1.2.3 POP3 server ready",
        "+OK mail.example.com {} POP3 Server 1.2.3 ready",
    ),
    Service.IMAP: (
        "* OK {} IMAP4rev1 server ready",
        "* OK IMAP4rev1 {}",
        "* OK [CAPABILITY IMAP4rev1] mail.example.com {} IMAP4 server ready",
        "* OK {} 1.2.3 IMAP4rev1 service ready",
    ),
}
_PRODUCTS = [pytest.param(known, id=known.product) for known in greeting_products()]


@pytest.mark.parametrize("known", _PRODUCTS)
def test_a_product_known_by_its_greeting_is_known_by_the_like_in_every_protocol_that_it_speaks(known: GreetingProduct) -> None:
    """A greeting that says the product's name beside the protocol's is its mark in each; a product without such a name has a greeting of its own in each."""
    for service in known.services:
        for name in known.names:
            for alike in _ALIKE[service]:
                found = matches(service, "greeting", alike.format(name))
                assert found, alike.format(name)
                assert all(v.SERVER_PRODUCT.reconcile(match.fingerprint.product, known.product) == known.product for match in found)
        if not known.names:
            own = [
                mark for mark in fingerprints() if mark.product == known.product and mark.reads == "greeting" and service in mark.services
            ]
            assert own, service


@pytest.mark.parametrize("known", _PRODUCTS)
def test_a_name_in_its_place_is_looked_for_in_the_protocols_that_a_product_speaks(known: GreetingProduct) -> None:
    """A protocol that a product does not speak is no place for its name."""
    placed = {s for mark in fingerprints() if mark.product == known.product and mark.id.startswith("placed-") for s in mark.services}
    assert placed <= known.services


def test_protocols_are_told_of_products_that_a_greeting_shows() -> None:
    """The table of what products speak has each product once, and none that no greeting shows."""
    told = [entry["product"] for entry in toml("product_protocols.toml")["product"]]
    assert len(told) == len(set(told))
    assert set(told) <= {known.product for known in greeting_products()}


@pytest.mark.parametrize(
    ("service", "greeting"),
    [
        (Service.SMTP, "220 Postal ESMTP ready"),
        (Service.SMTP, "220 mail.example.com ESMTP for Mercury users"),
        (Service.POP3, "+OK mercury.example.com POP3 server ready"),
        (Service.POP3, "+OK not a Radish POP3 server"),
        (Service.IMAP, "* OK mail at Radish Farms, IMAP4rev1 with us"),
    ],
)
def test_a_name_out_of_its_place_is_no_mark(service: Service, greeting: str) -> None:
    """A host's name, a firm's, and what a server says that it is not, name no product."""
    assert matches(service, "greeting", greeting) == ()


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        ("* OK Acme MailHub 4.2 IMAP4rev1 server ready", "Acme MailHub 4.2"),
        ("220 mail.example.com ESMTP AcmeMTA/3.1.4", "AcmeMTA/3.1.4"),
        ("+OK mail.example.com POP3 Server (Version 1.020) ready.", None),
        ("220 mail.example.com ESMTP Service Version 5.2 ready", None),
        ("* OK Welcome 192.0.2.10 to our server", None),
        ("* OK IMAP4rev1 2004.357 at Sat, 28 Nov 2026 10:00:00 +0000", None),
    ],
)
def test_a_name_before_a_version_is_read_from_a_greeting(greeting: str, name: str | None) -> None:
    """A greeting names a product where a version stands behind a word that is not the protocol's own."""
    assert named_in_greeting(greeting) == name


@pytest.mark.parametrize(
    ("service", "greeting", "marks"),
    [
        (Service.SMTP, "220 mail.example.com ESMTP Postfix + stunnel", ["stunnel", "Postfix"]),
        (Service.POP3, "+OK POP3 ready + stunnel", ["stunnel"]),
        (Service.POP3, "+OK The Microsoft Exchange POP3 service is ready. + stunnel", ["stunnel", "Exchange Server"]),
        (
            Service.IMAP,
            "* OK [KAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] hi (stunnel)",
            ["stunnel", "Dovecot"],
        ),
        (Service.IMAP, "* OK Our Dovecot (stunnel)", ["stunnel", "Dovecot"]),
        (Service.IMAP, "* OK perdition ready on mail.example.com 0002a1b2", ["Perdition"]),
    ],
)
def test_the_words_of_a_proxy_leave_those_of_the_server_behind_it(service: Service, greeting: str, marks: list[str]) -> None:
    """What a proxy adds to a greeting is its own mark, and hides none of the server's."""
    found = matches(service, "greeting", greeting)
    assert [match.fingerprint.product for match in found] == marks
    assert found[0].fingerprint.is_proxy
    assert not any(match.fingerprint.is_proxy for match in found[1:])


def test_every_fingerprint_names_its_source_and_carries_an_example() -> None:
    """A fingerprint without a source or an example is no fact."""
    assert all(f.source and f.examples for f in fingerprints())


def test_every_pattern_is_anchored() -> None:
    """A pattern begins at the text's beginning or, in a list, at a line's: words amid a text are no mark."""
    for fingerprint in fingerprints():
        start = "^" if fingerprint.reads != "greeting" else r"\A"
        assert fingerprint.written.startswith((r"\A", start)), fingerprint.id


_UNITS = [
    "a",
    " ",
    "A1.",
    "SIZE 1\n",
    "Hello [",
    "x x ",
    "AUTH PLAIN\n",
    "1.",
    "<@",
    "[A ",
    "-",
    "POP3 ",
    "ESMTP ",
    "-1.a",
    '"name" ',
    "[CAPABILITY A ",
]


@pytest.mark.parametrize("unit", _UNITS)
def test_a_hostile_text_costs_no_more_than_another(unit: str) -> None:
    """All fingerprints together look at a text of any length and repetition in well under a second."""
    text = "x " + unit * (2 * MAX_FINGERPRINTED // len(unit))
    began = time.process_time()
    for service in (Service.POP3, Service.SMTP, Service.IMAP):
        for reads in ("greeting", "ehlo", "capabilities", "id"):
            matches(service, reads, text)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("service", "greeting", "ids"),
    [
        (Service.IMAP, "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR] x", ["icloud-imap-capabilities"]),
        (Service.IMAP, "* OK XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR", []),
        (Service.IMAP, "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR", []),
        (Service.POP3, "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR] x", []),
    ],
)
def test_the_list_within_an_imap_greeting_is_read_as_a_list(service: Service, greeting: str, ids: list[str]) -> None:
    """What stands in the response code CAPABILITY is matched by the marks of lists, for IMAP alone and only if it is closed."""
    assert [m.fingerprint.id for m in matches(service, "greeting", greeting)] == ids


@pytest.mark.parametrize(
    ("said", "bare"),
    [
        ("220-mail.example ESMTP\n220 welcome", "mail.example ESMTP\nwelcome"),
        ("+OK", ""),
        ("* OK [CAPABILITY IMAP4rev1 ID] ready", "ready"),
        ("+OK <1.2@mail.example> ready", "ready"),
        ("163.com Anti-spam GT", "163.com Anti-spam GT"),
        ("", ""),
        ("+OK ready [bQBhAGkAbAAwADEALgBjAG8AbgB0AG8AcwBvAC4AdABlAHMAdAA=]", "ready [mail01.contoso.test]"),
        ("+OK ready [AAAAAAAAAAAAAAAAAAAAAAAAAAAA]", "ready [AAAAAAAAAAAAAAAAAAAAAAAAAAAA]"),
        ("+OK ready [AAAAAAAAAAAAAAAAAAAAAAAAAAAAA]", "ready [AAAAAAAAAAAAAAAAAAAAAAAAAAAAA]"),
    ],
)
def test_a_greeting_is_bared_of_what_every_server_says(said: str, bare: str) -> None:
    """Status, response code and APOP stamp are taken off, and Exchange's hidden host name is made readable."""
    assert bare_greeting(said) == bare


@pytest.mark.parametrize(
    "name", sorted(p.name for p in files("probe.data").iterdir() if p.name.endswith((".csv", ".toml")) and p.name != "estate.example.toml")
)
def test_every_table_says_where_it_is_from_and_of_what_date(name: str) -> None:
    """A table's head names a date, and its source; the example estate, which an installed package has beside them, is no table."""
    head = files("probe.data").joinpath(name).read_text(encoding="utf-8").split("\n\n")[0][:1500]
    assert head.startswith("#")
    assert "202" in head


def test_every_password_ending_has_a_source() -> None:
    """Each entry says which page tells of it."""
    entries = tomllib.loads(files("probe.data").joinpath("password_endings.toml").read_text(encoding="utf-8"))["ending"]
    assert all(entry["source"].startswith("https://") for entry in entries)

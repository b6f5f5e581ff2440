"""The fingerprints against their own examples, and against texts that must stay unknown."""

from __future__ import annotations

import time
import tomllib
from importlib.resources import files

import pytest

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.tables.marks import MAX_FINGERPRINTED, Example, Fingerprint, bare_greeting, fingerprints, generic_texts, matches

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
    """What one product says is no other product's mark, unless that names the family it belongs to."""
    for service in fingerprint.services:
        for match in matches(service, fingerprint.reads, example.text):
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


@pytest.mark.parametrize("name", sorted(p.name for p in files("probe.data").iterdir() if p.name.endswith((".csv", ".toml"))))
def test_every_table_says_where_it_is_from_and_of_what_date(name: str) -> None:
    """A table's head names a date, and its source."""
    if name == "estate.example.toml":
        pytest.skip("a file for the operator, not a table")
    head = files("probe.data").joinpath(name).read_text(encoding="utf-8").split("\n\n")[0][:1500]
    assert head.startswith("#")
    assert "202" in head


def test_every_password_ending_has_a_source() -> None:
    """Each entry says which page tells of it."""
    entries = tomllib.loads(files("probe.data").joinpath("password_endings.toml").read_text(encoding="utf-8"))["ending"]
    assert all(entry["source"].startswith("https://") for entry in entries)

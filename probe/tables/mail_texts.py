"""The texts of a mail server in which marks of products are searched for, and what they show."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.tables.marks import matches, named_in_greeting

MAIL_SERVICES = (Service.POP3, Service.SMTP, Service.IMAP)


def texts_of(service: Service, facts: Facts) -> Iterator[tuple[str, str]]:
    """The texts that were received, each with its kind; of several servers with one name, the texts of each."""
    for greeting in facts.claimed(v.PROTOCOL_GREETING):
        yield "greeting", greeting
    lists = [lines for key in (v.PROTOCOL_CAPABILITIES, v.PROTOCOL_CAPABILITIES_PLAIN) for lines in facts.claimed(key)]
    if service is Service.SMTP:
        firsts = facts.claimed(v.SMTP_EHLO_NAME)
        for lines in lists or ([()] if firsts else []):
            for first in firsts or ("",):
                yield "ehlo", "\n".join((first, *lines))
    else:
        for lines in lists:
            yield "capabilities", (" " if service is Service.IMAP else "\n").join(lines)
    for reads, key in (("help", v.SMTP_HELP), ("farewell", v.PROTOCOL_FAREWELL)):
        for said in facts.claimed(key):
            yield reads, said
    for names in facts.claimed(v.CERTIFICATE_NAMES):
        yield "certificate", "\n".join(names).lower()
    for fields in facts.claimed(v.IMAP_ID):
        if fields:
            yield "id", f"({' '.join(map(_as_sent, fields))})"


def shown_by(service: Service, facts: Facts) -> frozenset[tuple[str, str | None]]:
    """The products and versions that these texts show: the same as long as nothing but ids, names and times in them is other."""
    if service not in MAIL_SERVICES:
        return frozenset()
    found = {(match.fingerprint.id, match.version) for reads, text in texts_of(service, facts) for match in matches(service, reads, text)}
    return frozenset((*found, *(("named", named_in_greeting(greeting)) for greeting in facts.claimed(v.PROTOCOL_GREETING))))


def _as_sent(field: str) -> str:
    """A field of an ID as it was received."""
    name, has_value, value = (part.replace("\\", "\\\\").replace('"', '\\"') for part in field.partition("="))
    return f'"{name}" "{value}"' if has_value else f'"{name}" NIL'

"""The main facts of an endpoint, a line each."""

from __future__ import annotations

from datetime import date

from probe.document.telling.known import Known
from probe.document.telling.words import value_in_words
from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Fact, Facts, Why
from probe.model.keys import FactKey


def main_facts(known: Known, subject: str, today: date) -> dict[str, str]:
    """What is known of server, addresses, TLS, certificate, the deployment's Windows and sign-in, by these words; what is not is left out."""
    facts = known.of(subject)
    lines = {
        "Server": _server(facts, today),
        "Addresses": _listed(facts, v.NET_ADDRESSES),
        "TLS": _tls(facts),
        "Certificate": _certificate(facts),
        "Windows": _windows(facts, fips=bool(known.deployment.get("fips"))),
        "Sign-in": _sign_in(facts),
    }
    return {label: text for label, text in lines.items() if text}


def _server(facts: Facts, today: date) -> str:
    product, version, build = facts.value(v.SERVER_PRODUCT), facts.value(v.SERVER_VERSION), facts.value(v.SERVER_BUILD)
    parts = [" ".join(filter(None, (product or "product unknown", version)))] if product or version else []
    if build is not None and str(build) != version:
        parts.append(f"build {build}")
    update = facts.read(v.SERVER_UPDATE)
    if isinstance(update, Fact):
        parts.append("update " + value_in_words(v.SERVER_UPDATE.kind.encode(update.value)))
    end = facts.value(v.SERVER_END_OF_SUPPORT)
    if end is not None:
        parts.append(f"support {'ended' if end < today else 'ends'} {end.isoformat()}")
    sold = facts.value(v.SERVER_EXTENDED_UPDATES_END)
    if sold is not None:
        parts.append(f"paid security updates (ESU) {'ended' if sold < today else 'end'} {sold.isoformat()}")
    return ", ".join(parts)


def _listed(facts: Facts, key: FactKey[tuple[str, ...]]) -> str:
    value = facts.value(key)
    return "" if value is None else value_in_words(list(value))


def _tls(facts: Facts) -> str:
    session = facts.value(v.TLS_NEGOTIATED)
    if session is not None:
        parts = [session.version, session.suite, session.group, session.scheme]
    else:
        parts = ["none" if facts.value(v.TLS_MODE) == "none" else None, facts.value(v.TLS_FAILURE) or None]
    return ", ".join(p for p in parts if p)


def _certificate(facts: Facts) -> str:
    end, trusted, matches = (
        facts.value(v.CERTIFICATE_NOT_AFTER),
        facts.value(v.CERTIFICATE_TRUSTED),
        facts.value(v.CERTIFICATE_MATCHES_NAME),
    )
    reason = facts.value(v.CERTIFICATE_DISTRUSTED_BECAUSE)
    parts = []
    if end is not None:
        parts.append(f"valid until {end.date().isoformat()}")
    if trusted is not None:
        parts.append("trusted" if trusted else f"not trusted ({reason})" if reason else "not trusted")
    if matches is not None:
        parts.append("for this name" if matches else "for another name")
    return ", ".join(parts)


def _sign_in(facts: Facts) -> str:
    under_tls = [_listed(facts, key) for key in (v.AUTH_MECHANISMS, v.AUTH_SCHEMES)]
    parts = [text for text in under_tls if text]
    before = _listed(facts, v.AUTH_MECHANISMS_PLAIN)
    if before:
        parts.append(f"before TLS: {before}")
    if facts.value(v.ENDPOINT_SERVICE) == Service.EWS and (tokens := facts.value(v.MODERN_AUTH_OFFERED)) is not None:
        named = facts.value(v.MODERN_AUTH_AUTHORITY)
        parts.append(f"tokens (OAuth){f' of {named}' if named else ''}" if tokens else "no tokens (OAuth)")
    return "; ".join(parts)


def _windows(facts: Facts, *, fips: bool) -> str:
    """What the deployment's Windows gets there with its FIPS policy as declared, or why it gets no session; empty where neither is known."""
    client, reasons, session = facts.value(v.FIPS_PROFILE), facts.value(v.FIPS_REASONS), facts.read(v.FIPS_NEGOTIATES)
    if client is None:
        return ""
    who = f"{client} in FIPS mode" if fips else client
    if isinstance(session, Fact):
        return (
            f"{who} gets {', '.join(filter(None, (session.value.version, session.value.suite, session.value.group, session.value.scheme)))}"
        )
    if fips and reasons:
        return f"{who} gets NO session: {'; '.join(reasons)}"
    if session.why is Why.NOT_APPLICABLE and reasons is not None:  # it was asked, and there is none
        return f"{who} gets NO session: {session.detail}"
    return ""

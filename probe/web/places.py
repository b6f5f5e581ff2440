"""Where the pages of the estate's parts are: what links lead to, in alerts too."""

from __future__ import annotations

from urllib.parse import quote

from probe.model.endpoints import endpoint_id


def page_of(subject: str) -> str:
    """The path of the page of an endpoint or a mailbox, by its URL or its address; that of the estate for anything else."""
    if "://" in subject:
        return f"/e/{endpoint_id(subject)}"
    return f"/m/{quote(subject, safe='@')}" if "@" in subject else "/"


def page_of_rule(rule_id: str) -> str:
    """The path of the page of a rule."""
    return f"/rules/{quote(rule_id, safe='')}"


def page_of_gate(job_id: str) -> str:
    """The path of the page of an answer of the gate."""
    return f"/gate/{job_id}"


def page_of_enabling(job_id: str) -> str:
    """The path of the page of what came of Test & Enable."""
    return f"/enabling/{job_id}"

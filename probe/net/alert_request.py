"""A message for an alert target that a child process delivers, and how that ended: plain data that goes in and comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseRequest:
    """One message for one target. Make it just before it is sent, because it holds a secret in clear."""

    url: str = field(repr=False)
    """The target, as apprise writes it."""
    module: str
    """apprise's module of this kind of target, below `apprise.plugins`."""
    plugin: str
    """The class in it."""
    options: frozenset[str]
    """Names that the query of the URL may hold, in small letters; a last `*` stands for any ending."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Arguments of the class beyond those of the URL."""
    passes_through: bool
    """Whether apprise takes the body as it is; else it is told that the body is plain text."""
    title: str
    body: str
    severity: str
    """In apprise's words: `info`, `success`, `warning` or `failure`."""
    seconds: float
    """For all of it."""
    ca_file: str | None = None
    """PEM with trust anchors besides those of this machine."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Names with an address of their own, as `address:port`; only tests have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatRequest:
    """One GET of a URL that is itself the secret."""

    url: str = field(repr=False)
    seconds: float
    ca_file: str | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)
    """As in AppriseRequest."""


class DeliveryEnding(StrEnum):
    """How a delivery ended."""

    TAKEN = "taken"
    """The target has it."""
    NOT_TAKEN = "not-taken"
    """The target cannot have it, and may take it later: no connection, or a response that says so."""
    UNSEEN = "unseen"
    """The target may have it: the request was sent, and no clear response came."""
    PARTLY = "partly"
    """Some recipients of the target have it, and others do not."""
    REFUSED = "refused"
    """The target will not take it as it is: a wrong URL, an unknown recipient, a certificate that is not trusted."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a delivery ended, with why in words of ours that hold neither the URL nor a peer's words."""

    ending: DeliveryEnding
    why: str = ""

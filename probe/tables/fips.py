"""FIPS profiles: what a client allows in FIPS mode, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from probe.model.values import dataclass
from probe.tables.files import toml


@dataclass(frozen=True, slots=True)
class FipsOffer:
    """What a client's hello offers, by names of the IANA registries, in its order of preference."""

    versions: tuple[str, ...]
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    schemes: tuple[str, ...]
    certificate_schemes: tuple[str, ...]
    """For signatures within the chain; empty where the client does not list them separately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FipsProfile:
    """What a client allows in FIPS mode, and what it offers."""

    name: str
    title: str
    """As in "what ... allows"."""
    is_windows: bool
    """Whether it is a Windows that a deployment can run on."""
    allowed: FipsOffer
    offered: FipsOffer
    """By default, with the FIPS policy on."""
    offered_without_fips: FipsOffer
    keys: frozenset[str]
    """Kinds of a certificate's key: `rsa`, `ecdsa-p256`, `ed25519`."""
    rsa_bits: int
    most_rsa_bits: int | None
    dhe_bits: int
    rsa_bits_without_fips: int
    """With the policy off, as `rsa_bits` with it on; 0 where the client accepts any size."""
    dhe_bits_without_fips: int
    hashes: frozenset[str]
    """Beginnings of the names of signatures within a chain: `sha256`, `ed25519`."""
    requires_extended_master_secret: bool


@cache
def fips_profiles() -> Mapping[str, FipsProfile]:
    """Every FIPS profile by its name."""
    return {entry["name"]: _fips_profile(entry) for entry in toml("fips_profiles.toml")["profile"]}


def _fips_profile(entry: dict[str, Any]) -> FipsProfile:
    allowed = _fips_offer(entry)
    return FipsProfile(
        name=entry["name"],
        title=entry["title"],
        is_windows=entry["name"].startswith("windows-"),
        allowed=allowed,
        offered=_fips_offer(entry["offered"]) if "offered" in entry else allowed,
        offered_without_fips=_fips_offer(entry["offered_without_fips"]) if "offered_without_fips" in entry else allowed,
        keys=frozenset(entry["keys"]),
        rsa_bits=entry["rsa_bits"],
        most_rsa_bits=entry.get("most_rsa_bits"),
        dhe_bits=entry["dhe_bits"],
        rsa_bits_without_fips=entry.get("rsa_bits_without_fips", 0),
        dhe_bits_without_fips=entry.get("dhe_bits_without_fips", 0),
        hashes=frozenset(entry["hashes"]),
        requires_extended_master_secret=entry["requires_extended_master_secret"],
    )


def _fips_offer(entry: dict[str, Any]) -> FipsOffer:
    of_chain = tuple(entry.get("certificate_schemes", ()))
    return FipsOffer(tuple(entry["versions"]), tuple(entry["suites"]), tuple(entry["groups"]), tuple(entry["schemes"]), of_chain)

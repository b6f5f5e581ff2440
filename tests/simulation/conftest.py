"""A certificate authority for the simulated servers of these tests, and clients that trust it."""

from __future__ import annotations

import ssl

import pytest

from probe.simulation.authority import Authority

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority whose files the test session removes."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    """TLS for a server that is called by its address."""
    return authority.issue(LOOPBACK).context()


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    """A client that trusts the authority and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.ca_file)
    return context

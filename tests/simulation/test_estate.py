"""The simulated estate is complete, answers under its names, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
import http.client
import os
import socket
import ssl
import stat
import time
from pathlib import Path

import pytest

from probe.model.estate import Credentials, Delivery, Effect, Endpoint, Security, Service
from probe.simulation.estate import MAILBOX_PASSWORDS, SERVICE_PASSWORD, Simulation
from probe.simulation.ews import MESSAGES, SOAP, TYPES
from probe.simulation.exchange import ExchangeServer
from probe.simulation.releases import EXCHANGE_2016
from tests.estates import ends


def _handshake(sim: Simulation, endpoint: Endpoint) -> str:
    """Why a client that trusts the simulation's authority refuses an endpoint, empty where it does not."""
    context = ssl.create_default_context(cafile=str(sim.ca_file))
    with socket.create_connection((sim.hosts[endpoint.host], endpoint.port), timeout=5) as plain:
        if endpoint.security is Security.UPGRADE:
            plain.recv(4096)
            for command in (b"STLS\r\n",) if endpoint.service is Service.POP3 else (b"EHLO probe.test\r\n", b"STARTTLS\r\n"):
                plain.sendall(command)
                plain.recv(4096)
        try:
            with context.wrap_socket(plain, server_hostname=endpoint.host):
                return ""
        except ssl.SSLCertVerificationError as refused:
            return str(refused.verify_message)


async def test_the_estate_starts_quickly_and_leaves_nothing() -> None:
    """The estate is up in under a second, and after its end no port answers and no file is left."""
    started = time.monotonic()
    async with Simulation.start() as sim:
        assert time.monotonic() - started < 1
        folder = sim.ca_file.parent
        ports = [server.port for server in sim.servers.values()]
        assert all(ports)
    assert not folder.exists()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port), 5)


async def test_every_endpoint_is_led_to_loopback() -> None:
    """Every host that the estate names has an address, and each is loopback; each endpoint has a server behind it."""
    async with Simulation.start() as sim:
        endpoints = set(sim.estate.endpoints)
        assert {sim.hosts[endpoint.host] for endpoint in endpoints} == {"127.0.0.1"}
        assert {endpoint.port for endpoint in endpoints} == {server.port for server in sim.servers.values()}


async def test_certificates_are_for_the_hosts_that_show_them() -> None:
    """Each server that speaks TLS shows a certificate for its name that the authority vouches for, but for the one that expired."""
    async with Simulation.start() as sim:
        refusals = {}
        for profile in sim.estate.profiles:
            if profile.name != "tailspin":
                for endpoint in ends(profile):
                    refusals[endpoint.host] = await asyncio.to_thread(_handshake, sim, endpoint)
    assert {host: why for host, why in refusals.items() if why} == {"ex2013.contoso.test": "certificate has expired"}
    assert len(refusals) == 13


async def test_windows_before_2022_speaks_no_tls_1_3() -> None:
    """The Exchange servers speak the TLS of the Windows under them."""
    versions = {}

    def call(sim: Simulation, name: str) -> str | None:
        endpoint = next(ends(profile)[0] for profile in sim.estate.profiles if profile.name == name)
        context = ssl.create_default_context(cafile=str(sim.ca_file))
        with (
            socket.create_connection(("127.0.0.1", endpoint.port)) as plain,
            context.wrap_socket(plain, server_hostname=endpoint.host) as tls,
        ):
            return tls.version()

    async with Simulation.start() as sim:
        for name in ("exchange-2016", "exchange-2019", "exchange-se"):
            versions[name] = await asyncio.to_thread(call, sim, name)
    assert versions == {"exchange-2016": "TLSv1.2", "exchange-2019": "TLSv1.2", "exchange-se": "TLSv1.3"}


async def test_the_mailboxes_are_few_and_of_every_kind() -> None:
    """There are as many mailboxes as a reader takes in, of every make of server, and one that nothing is done for."""
    async with Simulation.start() as sim:
        estate = sim.estate
    assert 14 <= len(estate.mailboxes) <= 20
    assert len({mailbox.address for mailbox in estate.mailboxes}) == len(estate.mailboxes)
    assert {mailbox.profile for mailbox in estate.mailboxes} == {profile.name for profile in estate.profiles}
    assert [mailbox.address for mailbox in estate.mailboxes if not mailbox.is_served] == ["newsletter@contoso.test"]
    assert estate.deployment.allow == {Effect.LOGS_IN}
    # Synchronizing some mailboxes by Outlook is advised against for the whole organization, and would colour every verdict.
    assert all(Delivery.OUTLOOK not in (m.incoming, m.outgoing, m.appointments) for m in estate.mailboxes)


async def test_every_verdict_has_its_mailboxes() -> None:
    """For every verdict there is a mailbox whose server behaves so that the verdict follows."""
    async with Simulation.start() as sim:
        profile = {mailbox.address: sim.estate.profile_of(mailbox) for mailbox in sim.estate.mailboxes}
        releases = {name: server.release for name, server in sim.servers.items() if isinstance(server, ExchangeServer)}
    of = {address: releases[p.name].build for address, p in profile.items() if p.name in releases}
    assert of["sales@contoso.test"] == EXCHANGE_2016.build  # supported, ready
    assert of["pilot@contoso.test"][:3] == (15, 2, 2562)  # not listed
    assert of["archive@contoso.test"][0] == 8  # unsupported
    assert profile["orders@fabrikam.test"].name == "fabrikam"  # unsupported: another POP3/SMTP system
    assert profile["support@tailspin.test"].name == "tailspin"  # undetermined: silent
    assert profile["depot@contoso.test"].name == "exchange-2013"  # not ready: certificate expired
    assert profile["branch@contoso.test"].name == "exchange-online-closed"  # not ready: EWS closed
    assert profile["anna@contoso.test"].credentials is Credentials.SERVER_TO_SERVER  # Exchange Online as the page wants it


async def test_secrets_lie_in_files_that_only_their_owner_reads() -> None:
    """Every password is referred to as a file, which holds it and nothing else and is closed to others."""
    async with Simulation.start() as sim:
        references = {p.username: p.password for p in sim.estate.profiles if p.password}
        references |= {m.username: m.password for m in sim.estate.mailboxes if m.password}
        secrets = {}
        for user, reference in references.items():
            assert reference is not None
            assert reference.kind == "file"
            file = Path(reference.locator)
            secrets[user] = file.read_text(encoding="utf-8")
            assert os.name == "nt" or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secrets == {"svc-crm@contoso.test": SERVICE_PASSWORD, **MAILBOX_PASSWORDS}


async def test_the_closed_tenant_says_so_and_the_open_one_asks_for_a_token() -> None:
    """Of the two Exchange Online profiles one is challenged and one is refused by policy."""

    def call(sim: Simulation, name: str) -> tuple[int, str | None, str | None]:
        endpoint = next(ends(profile)[0] for profile in sim.estate.profiles if profile.name == name)
        context = ssl.create_default_context(cafile=str(sim.ca_file))
        context.check_hostname = False  # called by its address; the name is checked elsewhere
        client = http.client.HTTPSConnection("127.0.0.1", endpoint.port, context=context, timeout=5)
        try:
            client.request("POST", endpoint.path)
            answer = client.getresponse()
            return answer.status, answer.getheader("WWW-Authenticate"), answer.getheader("X-EWS-Policy-Reason")
        finally:
            client.close()

    async with Simulation.start() as sim:
        status, challenge, reason = await asyncio.to_thread(call, sim, "exchange-online")
        assert (status, reason) == (401, None)
        assert str(challenge).startswith("Bearer ")
        closed = await asyncio.to_thread(call, sim, "exchange-online-closed")
    assert closed == (403, None, "EWS is disabled for this user or tenant")


async def test_the_demo_signs_in_where_it_can() -> None:
    """The service account's password is right at the Exchange servers, and it may act as every mailbox but the board's."""

    def call(sim: Simulation, mailbox: str) -> tuple[int, bytes]:
        profile = next(profile for profile in sim.estate.profiles if profile.name == "exchange-2016")
        context = ssl.create_default_context(cafile=str(sim.ca_file))
        context.check_hostname = False  # called by its address; the name is checked elsewhere
        envelope = (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:t="{TYPES}" xmlns:m="{MESSAGES}"><s:Header><t:ExchangeImpersonation><t:ConnectingSID>'
            f"<t:SmtpAddress>{mailbox}</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></s:Header><s:Body><m:GetFolder>"
            '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></s:Body></s:Envelope>'
        )
        token = base64.b64encode(f"{profile.username}:{SERVICE_PASSWORD}".encode()).decode()
        client = http.client.HTTPSConnection("127.0.0.1", ends(profile)[0].port, context=context, timeout=5)
        try:
            client.request("POST", ends(profile)[0].path, envelope, {"Content-Type": "text/xml", "Authorization": f"Basic {token}"})
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()

    async with Simulation.start() as sim:
        status, envelope = await asyncio.to_thread(call, sim, "sales@contoso.test")
        assert (status, b"NoError" in envelope) == (200, True)
        assert b'MajorBuildNumber="2507" MinorBuildNumber="57"' in envelope
        status, envelope = await asyncio.to_thread(call, sim, "board@contoso.test")
        assert (status, b"ErrorImpersonateUserDenied" in envelope, b"ServerVersionInfo" in envelope) == (500, True, False)

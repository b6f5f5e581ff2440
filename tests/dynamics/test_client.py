"""Reading an organization."""

from __future__ import annotations

from tests.dynamics.peer import NAME, ORGANIZATION, WHO, Peer, Way, serving


async def test_an_organization_is_known_before_anything_is_read_of_it() -> None:
    """One signs in by asking who one is; then come name and version, and nothing else by itself."""
    way = Way()
    async with serving(Peer()) as peer, way.to(peer) as client:
        found = client.organization
        assert (found.id, found.name, found.version, found.api, found.user) == (ORGANIZATION, NAME, "9.1.18.22", "v9.1", WHO)
        assert client.signed_in_by == "ntlm"
        assert client.risk is None
    assert peer.asked == ["GET v9.1/WhoAmI"] * 3 + [f"GET v9.1/organizations({ORGANIZATION})", "GET v9.1/RetrieveVersion()"]
    assert peer.connections == 1

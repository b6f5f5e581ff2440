"""One service at a time watches a deployment."""

from __future__ import annotations

from pathlib import Path

from probe.history import open_history
from probe.memory.folder import Folder
from probe.model.estate import Secret
from tests.servers.postgresql import PostgreSql


async def test_a_history_in_a_folder_belongs_to_whoever_has_it(tmp_path: Path) -> None:
    """A history in SQLite needs no claim: the folder is locked."""
    async with open_history(Folder(tmp_path / "state"), "contoso") as history, history.claim() as claim:
        assert claim.is_held
        assert await claim.renew()


async def test_the_second_gets_it_when_the_first_is_gone(postgresql: PostgreSql) -> None:
    """Of two services of a deployment on one PostgreSQL one has the claim; the other gets it when the first is gone, another deployment its own."""
    url = Secret(postgresql.new_schema())
    async with open_history(url, "contoso") as one, open_history(url, "contoso") as other, open_history(url, "fabrikam") as third:
        async with one.claim() as first, other.claim() as second, third.claim() as foreign:
            assert (first.is_held, second.is_held, foreign.is_held) == (True, False, True)
            assert (await first.renew(), await second.renew()) == (True, False)
        async with other.claim() as second:
            assert second.is_held


async def test_a_connection_that_is_cut_does_not_lose_it_to_nobody(postgresql: PostgreSql) -> None:
    """Where its connection is cut the claim is got again, unless another service got it meanwhile."""
    url = Secret(postgresql.new_schema())
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    async with open_history(url, "contoso") as one, open_history(url, "contoso") as other, one.claim() as first:
        postgresql.sql(cut)
        assert await first.renew()
        assert await first.renew()
        postgresql.sql(cut)
        async with other.claim() as second:
            if not second.is_held:
                assert await second.renew()
            await first.renew()  # by which it learns that its connection is gone
            assert not await first.renew()

"""PostgreSQL: a cluster of its own, made for the tests, with a schema for each test that asks for one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.servers.programs import ADDRESS, ServerBroken, ServerMissing, running

_USER = "probe"
_NOBODY = "nobody"
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgreSql:
    """A running PostgreSQL, which trusts whoever comes over loopback."""

    port: int
    programs: Path

    @property
    def url(self) -> str:
        return f"postgresql://{_USER}@{ADDRESS}:{self.port}/postgres"

    def new_schema(self) -> str:
        """The URL of a schema that nobody has used; it is made much sooner than a database, and as empty."""
        name = f"history{next(_numbers)}"
        self.sql(f"CREATE SCHEMA {name}")
        return f"{self.url}?search_path={name}"

    def sql(self, statement: str) -> None:
        """Have a statement executed."""
        psql = [str(self.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url]
        subprocess.run(psql, check=True, capture_output=True, stdin=subprocess.DEVNULL)


@contextmanager
def run_postgresql() -> Iterator[PostgreSql]:
    """PostgreSQL until the context ends. It refuses to run as root, and is then run as nobody."""
    programs = _programs()
    is_root = os.geteuid() == 0
    as_nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_group()}", "--clear-groups"] if is_root else []

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        data = folder / "data"
        shutil.rmtree(data, ignore_errors=True)  # of a start that found its port taken
        data.mkdir()
        if is_root:
            shutil.chown(folder, _NOBODY)
            shutil.chown(data, _NOBODY)
        subprocess.run(
            [*as_nobody, str(programs / "initdb"), "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        settings = {"listen_addresses": ADDRESS, "port": ports[0], "unix_socket_directories": "", "fsync": "off", "shared_buffers": "16MB"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*as_nobody, str(programs / "postgres"), "-D", str(data), *options]

    with running("PostgreSQL", 1, configure) as (port,):
        server = PostgreSql(port=port, programs=programs)
        _await_start(server)
        yield server


def _await_start(server: PostgreSql) -> None:
    """It takes connections before it answers them; each question takes some milliseconds."""
    for _ in range(2000):
        asked = [str(server.programs / "pg_isready"), "-q", "-h", ADDRESS, "-p", str(server.port)]
        if subprocess.run(asked, check=False, stdin=subprocess.DEVNULL).returncode == 0:
            return
    raise ServerBroken("PostgreSQL takes connections and does not answer")


def _programs() -> Path:
    """Where the programs of the newest version lie. Raises ServerMissing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda program: int(program.parts[-3]))
    if not found:
        raise ServerMissing("PostgreSQL is not installed")
    return found[-1].parent


def _group() -> str:
    """The group of nobody, which systems call otherwise."""
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam(_NOBODY).pw_gid).gr_name

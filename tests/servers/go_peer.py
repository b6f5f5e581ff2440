"""Go's TLS, as a client in FIPS mode and as a server: built once, from the sources beside this file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import ADDRESS, ServerMissing, running

_SOURCES = Path(__file__).parent / "go"


@dataclass(frozen=True, slots=True)
class GoPeer:
    """The built program."""

    program: Path

    def connects(self, port: int, roots: Path) -> str:
        """What comes of one handshake in FIPS mode: `ok VERSION SUITE GROUP`, or `no REASON`."""
        command = [str(self.program), "connect", f"{ADDRESS}:{port}", "localhost", str(roots)]
        environment = {**os.environ, "GODEBUG": "fips140=on"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True).stdout.strip()

    @contextmanager
    def serving(self, certificate: Path, key: Path, lowest: str, highest: str, suites: str = "", groups: str = "") -> Iterator[int]:
        """A server of these versions, suites and groups; yields its port."""

        def configure(_: Path, ports: list[int]) -> list[str]:
            return [str(self.program), "serve", f"{ADDRESS}:{ports[0]}", str(certificate), str(key), lowest, highest, suites, groups]

        with running("Go", 1, configure) as ports:
            yield ports[0]


def build_go_peer(folder: Path) -> GoPeer:
    """Builds the program into a folder. Raises ServerMissing where there is no Go."""
    found = shutil.which("go", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise ServerMissing("Go is not installed")
    program = folder / "peer"
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    environment.setdefault("GOCACHE", str(Path.home() / ".cache" / "go-build"))
    subprocess.run([found, "build", "-o", str(program), "."], cwd=_SOURCES, env=environment, check=True, timeout=300)
    return GoPeer(program)

"""A root folder of its own for a server whose places and accounts are compiled in, so that the machine's are left alone.

It holds copies of the programs and of the libraries that they load, and accounts that the machine does not have. It needs
root, and nothing of what a container mostly forbids: no mounts, no devices.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers.programs import UNPACKED, ServerMissing, find_unpacked, library_path

# Of nobody on the machine: Debian gives out what is below 60000, and systemd most of what is above 61184.
_FIRST_ID = 60_100


class Jail:
    """The root folder of one server."""

    def __init__(self, folder: Path, server: str) -> None:
        if os.geteuid() != 0:
            raise ServerMissing(f"{server} cannot run without root, and this is not root")
        self.root = folder / "root"
        self._server = server
        self._accounts = 0
        shutil.rmtree(self.root, ignore_errors=True)  # of a start that found its port taken
        for name in ("dev", "etc", "tmp", "var/run"):
            (self.root / name).mkdir(parents=True)
        (self.root / "tmp").chmod(0o1777)
        # A plain file does: a device would need a right that containers may lack, and a file system that has devices.
        (self.root / "dev/null").touch(mode=0o666)
        (self.root / "dev/null").chmod(0o666)
        (self.root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\n")
        self.write("etc/hosts", "127.0.0.1 localhost mail.example.test\n")
        self.add_account("root", identifier=0)

    def add_account(self, name: str, *, home: str = "/", identifier: int | None = None, password: str | None = None) -> int:
        """An account that only the server knows; returns its number, which is its group's too."""
        number = _FIRST_ID + self._accounts if identifier is None else identifier
        self._accounts += 1
        hashed = "*" if password is None else hashed_password(password)
        for file, line in (
            ("passwd", f"{name}:x:{number}:{number}:{name}:{home}:/bin/sh\n"),
            ("group", f"{name}:x:{number}:\n"),
            ("shadow", f"{name}:{hashed}:19000:0:99999:7:::\n"),
        ):
            with (self.root / "etc" / file).open("a") as accounts:
                accounts.write(line)
        (self.root / "etc/shadow").chmod(0o600)
        return number

    def add_program(self, path: str) -> None:
        """A file of a server's package at its own place, and every library that it loads at once."""
        source = find_unpacked(path, self._server)
        self._copy(source, path)
        told = subprocess.run(
            ["ldd", source], env={**os.environ, "LD_LIBRARY_PATH": library_path(UNPACKED)}, capture_output=True, text=True, check=False
        ).stdout
        for line in told.splitlines():
            # A library by its name and its place, or the loader by its place alone; and an address.
            for library in (Path(word) for word in line.split() if word.startswith("/")):
                below = library.relative_to(UNPACKED) if library.is_relative_to(UNPACKED) else library.relative_to("/")
                self._copy(library, str(below))

    def _copy(self, source: Path, path: str) -> None:
        target = self.root / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)  # never a link: what is done to it here must not reach the machine's

    def write(self, path: str, text: str | bytes, *, owner: int = 0, mode: int = 0o644) -> Path:
        """A file that the server reads."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.chown(file, owner, owner)
        file.chmod(mode)
        return file

    def add_folder(self, path: str, *, owner: int = 0, mode: int = 0o755) -> Path:
        """A folder that the server writes to."""
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, owner, owner)
        folder.chmod(mode)
        return folder

    def command(self, program: str, *arguments: str) -> Sequence[str]:
        """Runs a program with this folder as its root."""
        return ["/usr/sbin/chroot", str(self.root), program, *arguments]


def hashed_password(password: str) -> str:
    """As crypt(3) takes it."""
    return subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True).stdout.strip()

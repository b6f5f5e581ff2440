"""An nginx set up as one would today, for scanners of TLS."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from probe.simulation.authority import Authority

_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; ssl_session_tickets off;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {identity}; ssl_certificate_key {identity};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers off;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    return 200 "ok\\n";
  }}
}}
"""


@contextmanager
def modern(folder: Path) -> Iterator[int | None]:
    """The port of one that runs until the block ends; None where it is not installed."""
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    identity, port = Authority(folder).issue("localhost", "127.0.0.1", key="rsa-2048").file, free_port()
    file = folder / "nginx.conf"
    user = "user root;" if Path("/root").exists() and Path.home() == Path("/root") else ""
    file.write_text(_CONFIGURATION.format(folder=folder, identity=identity, port=port, user=user))
    with subprocess.Popen([program, "-c", file, "-p", folder, "-e", folder / "error.log"], stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()


def free_port() -> int:
    """A port of loopback where nobody listened a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 10.0) -> None:
    """Wait until somebody listens. Raises ConnectionError where nobody does in time."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return

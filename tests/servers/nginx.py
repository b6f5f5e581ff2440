"""nginx as what stands before a web server and speaks TLS for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.servers.certificates import ServerCertificate
from tests.servers.programs import MinimumTls, find_program, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx, which passes on what comes over TLS."""

    host: str
    port: int
    backend: str
    certificate: ServerCertificate
    minimum_tls: MinimumTls

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file


class NginxBefore(Protocol):
    """Starts an nginx before a backend, `http://127.0.0.1:PORT` or `https://...`; it stops when the tests are over."""

    def __call__(self, backend: str, minimum_tls: MinimumTls = "TLSv1.2") -> Nginx: ...


@contextmanager
def run_nginx(certificate: ServerCertificate, backend: str, minimum_tls: MinimumTls) -> Iterator[Nginx]:
    """nginx before a backend until the context ends. Runs without root too."""
    program = find_program("nginx", "nginx")

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        (folder / "nginx.conf").write_text(_configuration(folder, ports[0], certificate, backend, minimum_tls))
        return [str(program), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]

    with running("nginx", 1, configure) as (port,):
        yield Nginx(host="localhost", port=port, backend=backend, certificate=certificate, minimum_tls=minimum_tls)


def _configuration(folder: Path, port: int, certificate: ServerCertificate, backend: str, minimum_tls: MinimumTls) -> str:
    user = "user nobody nogroup;" if os.geteuid() == 0 else ""
    versions = {"TLSv1.2": "TLSv1.2 TLSv1.3", "TLSv1.3": "TLSv1.3"}[minimum_tls]
    temporary = "\n".join(f"  {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{
  worker_connections 256;
}}
http {{
  access_log off;
{temporary}
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {certificate.chain_file};
    ssl_certificate_key {certificate.key_file};
    ssl_protocols {versions};
    location / {{
      proxy_pass {backend};
      proxy_http_version 1.1;
      proxy_set_header Host $host:$server_port;
      proxy_ssl_verify off;
      proxy_ssl_server_name on;
    }}
  }}
}}
"""

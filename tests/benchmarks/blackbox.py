"""How blackbox_exporter is told to hold the conversations that `mail_server` answers."""

from __future__ import annotations

CONFIGURATION = """
modules:
  smtp:
    prober: tcp
    timeout: 10s
    tcp:
      tls_config: {ca_file: CA_FILE, server_name: localhost}
      query_response:
        - expect: "^220 ([^ ]+) ESMTP"
        - send: "EHLO prober\\r"
        - expect: "^250-STARTTLS"
        - send: "STARTTLS\\r"
        - expect: "^220"
        - starttls: true
        - send: "EHLO prober\\r"
        - expect: "^250-"
        - send: "QUIT\\r"
  pop3:
    prober: tcp
    timeout: 10s
    tcp:
      tls_config: {ca_file: CA_FILE, server_name: localhost}
      query_response:
        - expect: "^\\\\+OK"
        - send: "STLS\\r"
        - expect: "^\\\\+OK"
        - starttls: true
        - send: "CAPA\\r"
        - expect: "^\\\\+OK"
        - expect: "^\\\\."
        - send: "QUIT\\r"
"""
"""For version 0.23 and later; CA_FILE stands for the file of the server's root."""

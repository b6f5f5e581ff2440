"""TLS as bytes: a client's offer, and the server's first flight. No handshake is ever completed."""

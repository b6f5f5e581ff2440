"""TLS as bytes: what a client offers, and what a server's first flight answers. No handshake is ever finished."""

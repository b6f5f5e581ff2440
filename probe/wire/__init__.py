"""Parses and writes messages of protocols, where no library does. No sockets, no clocks, no event loop."""

"""Bytes to messages and back, for what no library speaks. No sockets, no clocks, no loops."""

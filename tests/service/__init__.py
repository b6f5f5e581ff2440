"""The service watches, remembers and warns, over a clock that tests drive and over real sockets."""

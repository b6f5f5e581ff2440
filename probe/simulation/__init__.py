"""An estate of simulated servers on loopback: real sockets, real TLS, and nothing shared with the code that probes them."""

"""One file, one conversation, one PROBER."""

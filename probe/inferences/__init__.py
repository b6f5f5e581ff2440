"""One file, facts in, facts out, one INFERENCE."""

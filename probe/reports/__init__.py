"""One file, one format, one REPORT."""

"""Tables with a source and a date on them, and fingerprints that carry their own examples."""

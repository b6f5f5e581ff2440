"""The tests: a mirror of probe/, with real servers under servers/."""

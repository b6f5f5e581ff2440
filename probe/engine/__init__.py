"""From an estate to a run: what to try, observing, judging."""

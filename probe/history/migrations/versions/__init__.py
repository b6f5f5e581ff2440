"""One step, one file, in the order of `down_revision`."""

"""Reading an estate, and resolving its secrets. `bad/` holds one file for each way to be wrong, with what is said of it."""

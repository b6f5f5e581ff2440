"""Reading an estate: from the operator's TOML to the model, with every mistake named at once.

pydantic judges each table by itself; what spans several keys or tables is judged on the values as written.
No message repeats a value that may be a secret. Secrets are resolved when they are needed.
"""

from probe.config.problems import EstateError, Problem
from probe.config.reading import example_estate, load_estate, read_estate
from probe.config.secrets import SecretUnavailable, resolve

__all__ = ["EstateError", "Problem", "SecretUnavailable", "example_estate", "load_estate", "read_estate", "resolve"]

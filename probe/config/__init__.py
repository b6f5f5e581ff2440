"""Reading an estate: from the operator's TOML to the model, with every mistake named at once.

pydantic judges each table by itself; what spans several keys or tables is judged on the values as written.
No message repeats a value that may be a secret. Secrets are resolved when they are needed.
"""

from probe.config.parts import keys_of, meaning_of, read_dynamics, read_tables, required_keys, wrong_value
from probe.config.problems import EstateError, Problem
from probe.config.reading import example_estate, load_estate, read_estate, read_text
from probe.config.secrets import SecretUnavailable, resolve

__all__ = [
    "EstateError",
    "Problem",
    "SecretUnavailable",
    "example_estate",
    "keys_of",
    "load_estate",
    "meaning_of",
    "read_dynamics",
    "read_estate",
    "read_tables",
    "read_text",
    "required_keys",
    "resolve",
    "wrong_value",
]

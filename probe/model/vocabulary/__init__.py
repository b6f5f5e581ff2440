"""Every fact that can exist: its name, its type, and one line of meaning.

Probers, inferences, rules and reports meet here and nowhere else. A key is named for what was seen, never for
what it is hoped to mean; units stand in the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from probe.model.keys import FactKey
from probe.model.vocabulary.estate import *
from probe.model.vocabulary.conversation import *
from probe.model.vocabulary.tls import *
from probe.model.vocabulary.exchange import *
from probe.model.vocabulary.signing_in import *
from probe.model.vocabulary.conclusions import *
from probe.model.vocabulary.dynamics import *


@cache
def all_keys() -> Mapping[str, FactKey[Any]]:
    """Every key of the vocabulary, by name, in the order above."""
    return {value.name: value for value in globals().values() if isinstance(value, FactKey)}

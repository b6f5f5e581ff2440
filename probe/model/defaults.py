"""Default values of a run. The command line shows them before it loads anything larger."""

from __future__ import annotations

from typing import Literal

TlsDepth = Literal["quick", "full", "none"]
"""How much is asked about TLS: the question of FIPS, everything that the server takes, or nothing beyond what a conversation itself shows."""

TLS_DEPTH: TlsDepth = "quick"
TIMEOUT_SECONDS = 30.0
"""For one attempt: mail servers delay their greeting by up to 20 s against spammers."""
FIPS_CLIENT = "sp800-52r2"
"""NIST's own guideline for TLS, where no deployment says which Windows is meant."""

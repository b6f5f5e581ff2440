"""The rules: one file, one statement, one RULE, in a folder for each kind of deployment. Here stands what several of them share.

A rule must not flip when more becomes known: it builds answers of `ask`, `told`, `all_of`, `any_of` and `negate`
alone, and where `applies` looks at more than the estate always declares, `holds` asks for that again.

A rule of readiness is asked about the whole mailbox and about each direction. It asks by `is_server_side`, or by `served`
that builds on it, what is served: then each direction gets its answer without more. One that is about two directions together looks at `case.direction`.
"""

from __future__ import annotations

from probe.rules.sources import *
from probe.rules.remedies import *
from probe.rules.conditions import *
from probe.rules.signing_in import *
from probe.rules.constructors import *

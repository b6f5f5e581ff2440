"""The models of what the API takes and gives, beside those of `probe/document/`. The OpenAPI description is generated from them."""

from __future__ import annotations

from pydantic import Field

from probe.document.forms import Form


class HealthForm(Form):
    """How the service is."""

    status: str
    detail: str
    """One sentence."""


class ProblemForm(Form):
    """What went wrong with a request, as RFC 9457 has it."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str

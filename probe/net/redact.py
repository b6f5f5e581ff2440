"""Strikes secrets out of what is written down, as it passes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

STRUCK = "***"

# What follows these words is a secret, or wraps one, whichever way it is encoded.
_BY_PLACE = (
    re.compile(r"(?i)^(PASS |AUTH \S+ |A\w* LOGIN |A\w* AUTHENTICATE \S+ )\S.*$"),
    re.compile(r"(?i)^((?:Proxy-)?Authorization: *)(?!NTLM TlRMTVNTUAABAAAA).*$"),
)


class Redactor:
    """Knows the secrets of one attempt in the forms that they take on the wire."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in filter(None, secrets):
            forms.add(secret)
            for raw in (secret.encode(), secret.encode("utf-16-le")):
                forms.update(_base64_forms(raw))
        self._forms = sorted((f for f in forms if f), key=len, reverse=True)

    def clean(self, text: str, *, said_by_us: bool) -> str:
        """The text with every secret struck out; of our own lines also whatever stands where secrets stand."""
        for form in self._forms:
            text = text.replace(form, STRUCK)
        if said_by_us:
            for place in _BY_PLACE:
                text = place.sub(rf"\1{STRUCK}", text)
        return text


def _base64_forms(raw: bytes) -> Iterable[str]:
    """How these bytes look inside base64, at each of the three places where a longer text may put them."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        # The characters at either end also carry bits of what stands before and after.
        stable = encoded[(0, 2, 3)[shift] :].rstrip("=")
        cut = (len(raw) + shift) % 3
        yield stable if cut == 0 else stable[:-1]

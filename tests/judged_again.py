"""The law that a stored run, judged again with nothing changed, is the same run: held over every run that a test makes of an estate."""

from __future__ import annotations

import json
from typing import Any

from probe import app
from probe.document import publish
from probe.model.runs import Run
from probe.probing import STRUCK


def assert_judged_again_to_the_same(run: Run) -> None:
    """The document, read and judged again, is the document to the letter.

    A run of which a secret was struck out may differ: it was judged on what was seen, and is told without that.
    """
    stored: dict[str, Any] = json.loads(json.dumps(publish(run)))
    if STRUCK in json.dumps([stored["facts"], stored["missing"]]):
        return
    again = json.loads(json.dumps(publish(app.judge(stored))))
    assert [part for part in stored if stored[part] != again[part]] == []
    assert again == stored

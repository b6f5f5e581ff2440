"""What comes, on one line of time, in parts of a page. Pure in what is worked out of it."""

from __future__ import annotations

from probe.reports.html.timeline import TimeLine
from probe.web.ahead import Ahead

EVENTS_A_PAGE = 100


class Calendar:
    """What comes, as the page draws it."""

    def __init__(self, ahead: Ahead, page: int) -> None:
        self.ahead = ahead
        self.line = TimeLine(ahead.start, ahead.until, ahead.coming)
        self.pages = max(-(-len(ahead.coming) // EVENTS_A_PAGE), 1)
        self.page = min(max(page, 1), self.pages)
        self.shown = ahead.coming[(self.page - 1) * EVENTS_A_PAGE : self.page * EVENTS_A_PAGE]
        self.unseen = ahead.unseen[:EVENTS_A_PAGE]

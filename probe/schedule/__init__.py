"""What is due when: the tasks of an estate, each on a grid of its own, over a clock that the caller drives, kept across restarts.

`tasks_of` says what there is to do, `Schedule` when, `day_ahead` what that costs. Whoever holds what is due asks for it by `due`, and says by `ended` how it went.
"""

from __future__ import annotations

from probe.schedule.ahead import DayAhead, KindAhead, ServerAhead, day_ahead, lines_of
from probe.schedule.book import ScheduleBook
from probe.schedule.due import Schedule
from probe.schedule.tasks import Ended, Task, TaskEnding, TaskKind, canaries_of, tasks_of

__all__ = [
    "DayAhead",
    "Ended",
    "KindAhead",
    "Schedule",
    "ScheduleBook",
    "ServerAhead",
    "Task",
    "TaskEnding",
    "TaskKind",
    "canaries_of",
    "day_ahead",
    "lines_of",
    "tasks_of",
]

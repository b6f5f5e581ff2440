"""The HTTP listener of `probe serve`: health, metrics and the API, for programs and other watchers, and the page, for people.

`watch` is all that the room knows of the service; `state` has it drawn in `parts` as it becomes known, `ahead` works out what comes. `listener` serves on uvicorn, `connections` bounds what a client may take of it, `access` decides who may
ask, `tokens` keeps the tokens, `sessions` those of people, `pages` is what they see, `places` where it is, `application` joins the routes. FastAPI and uvicorn are loaded with `listener`, which `probe serve` alone brings.
"""

from probe.web.watch import CannotCheck, EnableOrder, LastLook, LookUnderWay, Standby, Watch, WatchedState

__all__ = ["CannotCheck", "EnableOrder", "LastLook", "LookUnderWay", "Standby", "Watch", "WatchedState"]

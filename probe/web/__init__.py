"""The HTTP listener of `probe serve`: health, metrics and the API, for programs and other watchers.

`watch` is all that the room knows of the service. `listener` serves on uvicorn, `connections` bounds what a client may take of it, `access` decides who may
ask, `tokens` keeps the tokens, `application` joins the routes. FastAPI and uvicorn are loaded with `listener`, which `probe serve` alone brings.
"""

from probe.web.watch import CannotCheck, LastLook, Standby, Watch

__all__ = ["CannotCheck", "LastLook", "Standby", "Watch"]

"""What distinguishes releases of Exchange Server, as far as a client can see it.

Builds are of real updates. That a refused request names the build from 2019 CU11 on, and a front end from 2013 on, was seen in
recorded answers of such servers (read 2026-11).
"""

from __future__ import annotations

from probe.model.values import dataclass

# In the order of their release; a server accepts its own and all earlier ones.
SCHEMAS = (
    "Exchange2007",
    "Exchange2007_SP1",
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2015",
    "Exchange2016",
)

_FIRST_TO_NAME_ITS_BUILD = (15, 2, 986)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One build of Exchange Server on the Windows that it is commonly run on."""

    build: tuple[int, int, int, int]
    iis: str
    windows: tuple[int, int, int]
    aspnet: str
    newest_schema: str
    """The newest schema that it accepts in a request."""
    answers_in: str
    """The schema that it announces in its answers; empty where it repeats that of the request."""

    @property
    def has_front_end(self) -> bool:
        """2013 and later have a front end before the mailbox server, and name it."""
        return self.build >= (15,)

    @property
    def names_build_when_refusing(self) -> bool:
        return self.build >= _FIRST_TO_NAME_ITS_BUILD

    @property
    def version(self) -> str:
        """All four numbers."""
        return ".".join(map(str, self.build))

    @property
    def update(self) -> str:
        """The first three numbers, by which a cumulative update is known."""
        return ".".join(map(str, self.build[:3]))

    def takes(self, schema: str) -> bool:
        """Whether it accepts requests in this schema."""
        return schema in SCHEMAS[: SCHEMAS.index(self.newest_schema) + 1]


EXCHANGE_2007 = Release(
    build=(8, 3, 517, 0),
    iis="Microsoft-IIS/7.0",
    windows=(6, 0, 6002),
    aspnet="2.0.50727",
    newest_schema="Exchange2007_SP1",
    answers_in="",
)
EXCHANGE_2010 = Release(
    build=(14, 3, 513, 0),
    iis="Microsoft-IIS/7.5",
    windows=(6, 1, 7601),
    aspnet="2.0.50727",
    newest_schema="Exchange2010_SP2",
    answers_in="",
)
EXCHANGE_2013 = Release(
    build=(15, 0, 1497, 48),
    iis="Microsoft-IIS/8.5",
    windows=(6, 3, 9600),
    aspnet="4.0.30319",
    newest_schema="Exchange2013_SP1",
    answers_in="V2_23",
)
EXCHANGE_2016 = Release(
    build=(15, 1, 2507, 57),
    iis="Microsoft-IIS/10.0",
    windows=(10, 0, 14393),
    aspnet="4.0.30319",
    newest_schema="Exchange2016",
    answers_in="V2017_07_11",
)
EXCHANGE_2019 = Release(
    build=(15, 2, 1748, 39),
    iis="Microsoft-IIS/10.0",
    windows=(10, 0, 17763),
    aspnet="4.0.30319",
    newest_schema="Exchange2016",
    answers_in="V2017_07_11",
)
EXCHANGE_ONLINE = Release(
    build=(15, 20, 9073, 22),
    iis="Microsoft-HTTPAPI/2.0",
    windows=(10, 0, 20348),
    aspnet="4.0.30319",
    newest_schema="Exchange2016",
    answers_in="V2018_01_08",
)
EXCHANGE_SE = Release(
    build=(15, 2, 2562, 35),
    iis="Microsoft-IIS/10.0",
    windows=(10, 0, 20348),
    aspnet="4.0.30319",
    newest_schema="Exchange2016",
    answers_in="V2017_07_11",
)

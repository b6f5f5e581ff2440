"""The secrets of a run: each looked up once, off the loop, before the first conversation that may need one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from probe.config.secrets import SecretUnavailable, place_of, resolve
from probe.model.estate import Secret, SecretReference
from probe.net.threads import in_thread

AT_ONCE = 16
"""Secrets of one kind that are looked up side by side: each takes a thread, and a keyring answers one at a time."""
SECONDS = 10.0
"""Longest wait for one. A file takes milliseconds; a share that is gone or a keyring that waits for a person would take forever."""
SECONDS_FOR_ALL = 60.0
"""Longest wait for all of them, however many lie on that share."""


class Secrets:
    """What came of looking up each reference."""

    def __init__(self, found: Mapping[SecretReference, Secret | SecretUnavailable]) -> None:
        self._found = dict(found)

    @classmethod
    async def read(cls, references: Iterable[SecretReference], seconds: float = SECONDS) -> Secrets:
        """Look up each reference once. Raises nothing for one that cannot be had: `of` does.

        Each is waited for at most `seconds`, and never longer than SECONDS. When cancelled, it ends at once, even if a lookup hangs.
        """
        patience = min(seconds, SECONDS)
        found: dict[SecretReference, Secret | SecretUnavailable] = {
            reference: SecretUnavailable(f"{place_of(reference)} was not read, since reading others took {SECONDS_FOR_ALL:g} s")
            for reference in references
        }
        # A keyring that hangs holds up no file, nor the other way round.
        turns = {reference.kind: asyncio.Semaphore(AT_ONCE) for reference in found}

        async def look_up(reference: SecretReference) -> None:
            async with turns[reference.kind]:
                found[reference] = await _looked_up(reference, patience)

        try:
            async with asyncio.timeout(SECONDS_FOR_ALL), asyncio.TaskGroup() as group:
                for reference in found:
                    group.create_task(look_up(reference))
        except TimeoutError:
            pass  # those that had no turn are down as such
        return cls(found)

    def of(self, reference: SecretReference) -> Secret:
        """The secret that a reference names. Raises SecretUnavailable, which repeats nothing of it."""
        found = self._found[reference]
        if isinstance(found, SecretUnavailable):
            raise SecretUnavailable(str(found))
        return found

    def all(self) -> tuple[Secret, ...]:
        """Every secret that was found, for the redactor."""
        return tuple(found for found in self._found.values() if isinstance(found, Secret))


async def _looked_up(reference: SecretReference, seconds: float) -> Secret | SecretUnavailable:
    try:
        async with asyncio.timeout(seconds):
            return await in_thread(lambda: resolve(reference), "probe-secret")
    except SecretUnavailable as unavailable:
        return unavailable
    except TimeoutError:
        return SecretUnavailable(f"{place_of(reference)} was not read within {seconds:g} s")
    except Exception as failed:  # noqa: BLE001 - whatever this machine refuses, such as one more thread, costs this secret alone
        return SecretUnavailable(f"{place_of(reference)} cannot be read: {type(failed).__name__}")

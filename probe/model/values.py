"""Value classes: frozen dataclasses with slots, made for a quarter of what the standard library takes.

A program that looks at one port defines a hundred of them before it connects, and the standard library compiles six functions for each. Here only
`__init__` is compiled; the rest are closures over the names of the fields. Type checkers see the standard library's own decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: Literal[True], slots: Literal[True], kw_only: bool = False) -> Callable[[type], type]:
        """`dataclasses.dataclass`, called so: equal where the fields are, hashable, shown field by field, a method of the class's own kept.

        That it is frozen is held by the type checker alone: to refuse an assignment while the program runs costs each object made, too.
        """

        def made(cls: type) -> type:
            own = cls.__dict__
            value = dataclasses.dataclass(slots=slots, kw_only=kw_only, eq=False, repr=False)(cls)
            for name, method in _methods(value).items():
                if own.get(name) is None:  # a class that has an __eq__ has None for a __hash__
                    setattr(value, name, method)
            return value

        return made


def _methods(value: type) -> dict[str, Callable[..., Any]]:
    fields = dataclasses.fields(value)
    compared = _getter(tuple(field.name for field in fields if field.compare))
    hashed = _getter(tuple(field.name for field in fields if (field.compare if field.hash is None else field.hash)))
    shown = tuple(field.name for field in fields if field.repr)

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(hashed(self))

    def __repr__(self: object) -> str:  # noqa: N807
        return f"{self.__class__.__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in shown])})"

    return {"__eq__": __eq__, "__hash__": __hash__, "__repr__": __repr__}


def _getter(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """What takes these fields of an object, as a tuple, as which equal and same are told apart nowhere: nan equals itself."""
    if not names:
        return lambda _: ()
    # Of one name alone attrgetter gives the bare value.
    return attrgetter(*names) if len(names) > 1 else attrgetter(*names, *names)

"""Value classes: frozen dataclasses with slots, which cost a fifth of the standard library's to define.

A program that looks at one port defines more than a hundred of them before it connects, and the standard library compiles six functions for each.
Here only `__init__` is compiled; the rest are closures over the names of the fields. Type checkers see the standard library's own decorator.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: Literal[True], slots: Literal[True], kw_only: bool = False, order: bool = False) -> Callable[[type], type]:
        """As `dataclasses.dataclass`: compared and hashed by the fields, and printed field by field. A method that the class defines is kept.

        Only the type checker enforces `frozen`: refusing an assignment at run time would slow down every construction.
        """

        def made(cls: type) -> type:
            own = cls.__dict__
            value = dataclasses.dataclass(slots=slots, kw_only=kw_only, init=False, eq=False, repr=False)(cls)
            fields = dataclasses.fields(value)
            value.__init__ = _init(fields, is_followed=hasattr(value, "__post_init__"))
            value.__init__.__qualname__ = f"{cls.__qualname__}.__init__"
            for name, method in (_methods(fields) | (_orders(fields) if order else {})).items():
                if own.get(name) is None:  # a class that has an __eq__ has None for a __hash__
                    setattr(value, name, method)
            return value

        return made


def _init(fields: tuple[dataclasses.Field[Any], ...], *, is_followed: bool) -> Any:
    """What takes a value for each field, as the standard library's `__init__` does; `is_followed`: by `__post_init__`."""
    known: dict[str, Any] = {"_unset": dataclasses.MISSING}
    taken: dict[bool, list[str]] = {False: [], True: []}
    """Parameters, by whether they are taken by name alone."""
    steps = []
    for field in fields:
        name, given = field.name, field.name
        if field.default_factory is not dataclasses.MISSING:
            known[f"_made_{name}"], default = field.default_factory, "=_unset"
            given = f"_made_{name}() if {name} is _unset else {name}" if field.init else f"_made_{name}()"
        elif field.default is not dataclasses.MISSING:
            known[f"_of_{name}"], default = field.default, f"=_of_{name}"
        else:
            default = ""
        if field.init:
            taken[bool(field.kw_only)].append(name + default)
        if field.init or field.default_factory is not dataclasses.MISSING:
            steps.append(f"self.{name} = {given}")
    if is_followed:
        steps.append("self.__post_init__()")
    parameters = ", ".join(["self", *taken[False], *(["*", *taken[True]] if taken[True] else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(steps or ["pass"]), known)  # noqa: S102 - names of fields, as the standard library does
    return known["__init__"]


def _methods(fields: tuple[dataclasses.Field[Any], ...]) -> dict[str, Callable[..., Any]]:
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


def _orders(fields: tuple[dataclasses.Field[Any], ...]) -> dict[str, Callable[..., Any]]:
    compared = _getter(tuple(field.name for field in fields if field.compare))

    def by(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
        return lambda one, other: compare(compared(one), compared(other)) if other.__class__ is one.__class__ else NotImplemented

    return {"__lt__": by(operator.lt), "__le__": by(operator.le), "__gt__": by(operator.gt), "__ge__": by(operator.ge)}


def _getter(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """What takes these fields of an object, as a tuple: in one, nan equals itself, as in a dataclass of the standard library before Python 3.13."""
    if not names:
        return lambda _: ()
    # Of one name alone attrgetter gives the bare value.
    return operator.attrgetter(*names) if len(names) > 1 else operator.attrgetter(*names, *names)

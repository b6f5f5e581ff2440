"""What rules and facts call products."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import probe.rules
from probe.model import vocabulary as v
from probe.tables.marks import products

_CONDITIONS = ("is_product", "is_each_product", "is_no_product", "_answers")
_MODULES = sorted(path.stem for path in (Path(probe.rules.__file__).parent / "on_premises").glob("[!_]*.py"))


def _named(module: str) -> Iterator[str]:
    """The products that a rule's conditions name, as they are written there or by a constant."""
    loaded = importlib.import_module(f"probe.rules.on_premises.{module}")
    for node in ast.walk(ast.parse(Path(str(loaded.__file__)).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CONDITIONS:
            for argument in node.args[1:]:
                match argument:
                    case ast.Constant(value=str(name)):
                        yield name
                    case ast.Name(id=constant) if hasattr(loaded, constant):
                        yield getattr(loaded, constant)
                    case ast.Starred(value=ast.Name(id=constant)) if hasattr(loaded, constant):
                        yield from getattr(loaded, constant)


def test_rules_name_products_as_the_list_has_them() -> None:
    """A name that the list does not have, or writes otherwise, would never be that of what answers."""
    named = {(module, name) for module in _MODULES for name in _named(module)}
    assert len(named) > 10
    assert {(module, name) for module, name in named if products().get(name.lower()) != name} == set()


@pytest.mark.parametrize("name", v.SERVER_PRODUCT.examples)
def test_products_of_the_vocabulary_are_on_the_list(name: str) -> None:
    """What the vocabulary shows as a product is one."""
    assert products()[name.lower()] == name

"""No file imports itself by way of others, be it within a room, and no test module another."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp


def test_no_files_import_each_other_in_a_circle() -> None:
    """Every file can be read before those that import it, what is imported late included; imports for types alone do not count."""
    graph = grimp.build_graph("probe", exclude_type_checking_imports=True, cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    circle: list[str] = []
    try:
        order = list(TopologicalSorter(imported).static_order())
    except CycleError as found:
        circle = found.args[1]
    assert circle == []
    assert len(order) == len(graph.modules)


def test_no_test_module_is_another_s_library() -> None:
    """What several test modules use stands in a module without tests, so that it is found, and changed without them."""
    tests = Path(__file__).parents[1]
    imported = re.compile(r"(?m)^ *(?:from|import) tests\.(?:\w+\.)*(test_\w+)")
    found = {file: set(imported.findall(file.read_text(encoding="utf-8"))) - {file.stem} for file in tests.rglob("*.py")}
    assert {str(file.relative_to(tests)): names for file, names in found.items() if names} == {}

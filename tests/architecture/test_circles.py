"""No file imports itself by way of others, be it within a room."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

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

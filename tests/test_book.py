"""The house's own book says what is so: what it lists is what the program has, no more and no less.

The book is probe/README.md, probe/CONTRACT.md and tests/README.md.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from probe import app, catalogue
from probe.cli import cli
from probe.cli.exit_codes import EXIT_CODES
from probe.config import read_estate
from probe.config.keys import HEADINGS, TABLES
from probe.document import Report, gate_schema, parse, schema
from probe.model import inferences
from probe.model.attempts import Outcome
from probe.model.effects import ALLOWABLE
from probe.model.estate import Endpoint
from probe.model.facts import Why
from probe.model.provenance import Rank
from probe.model.rules import By, Direction, Otherwise, Readiness, Result, SignedIn, Support
from probe.model.vocabulary import all_keys
from probe.probing import SUBJECTS, Scope
from tests.command import COMMANDS

_ROOT = Path(__file__).parents[1]
_PAGES = ("probe/README.md", "probe/CONTRACT.md", "tests/README.md")
_LISTS: dict[str, Sequence[str]] = {
    "basis": [rank.name.lower() for rank in Rank],
    "why": list(Why),
    "outcome": list(Outcome),
    "result": list(Result),
    "support": list(Support),
    "readiness": list(Readiness),
    "signed_in": list(SignedIn),
    "directions": list(Direction),
    "otherwise": list(Otherwise),
    "by": list(By),
    "allow": ALLOWABLE,
}


@cache
def _page(name: str) -> str:
    return (_ROOT / name).read_text(encoding="utf-8")


def _section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next of its rank or above."""
    _, found, rest = f"\n{_page(page)}".partition(f"\n{heading}\n")
    assert found, f"{page} has no heading {heading!r}"
    rank = len(heading) - len(heading.lstrip("#"))
    return re.split(rf"(?m)^#{{1,{rank}}} ", rest)[0]


def _rows(text: str) -> list[list[str]]:
    """The rows of the tables of a text, less their heads. A bar within backticks does not end a cell."""
    lines = [re.sub(r"`[^`]*`", lambda word: word[0].replace("|", "\0"), line) for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace("\0", "|") for cell in line.strip("|").split("|")] for line in lines]
    rules = [n for n, row in enumerate(rows) if all(set(cell) <= set("-") for cell in row)]
    return [row for n, row in enumerate(rows) if n not in rules and n + 1 not in rules]


def _words(text: str) -> list[str]:
    """What stands in backticks, blocks of code left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", text))


def _block(page: str, language: str) -> str:
    """The one block of code in a language."""
    (block,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```", _page(page))
    return str(block)


@cache
def _defined(file: Path) -> frozenset[str]:
    """Names that a module defines at its top."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return frozenset(names)


def _wrong_places(page: str) -> Iterator[str]:
    """Each `path` or `path::name` of the house that a page names, and that is not there."""
    for word in _words(_page(page)):
        if not re.match(r"(probe|tests|config)/", word):
            continue
        path, _, name = word.partition("::")
        # NAME stands for what a newcomer chooses; the folder must be there.
        file = _ROOT / path.partition("NAME")[0].rpartition("/")[0] if "NAME" in path else _ROOT / path
        if not file.exists() or (name and name not in _defined(file)):
            yield word


@pytest.mark.parametrize("page", _PAGES)
def test_what_the_book_points_to_exists(page: str) -> None:
    """Every file, and every name in a file, that the book points to is there."""
    assert list(_wrong_places(page)) == []


def test_what_code_cites_of_the_book_is_in_it() -> None:
    """A heading of the book, or a law by its number, that code or tests name, is there."""
    numbers, cited = {row[0] for row in _laws()}, 0
    for file in (path for folder in ("probe", "tests") for path in sorted((_ROOT / folder).rglob("*.py"))):
        text = file.read_text(encoding="utf-8")
        for page, heading in re.findall(r'((?:probe|tests)/[A-Z]+\.md), "([^"\n]+)"', text):
            assert re.search(rf"(?m)^#+ {re.escape(heading)}$", _page(page)), (file, heading)
            cited += 1
        for number in re.findall(r"[Ll]aw (\d+) of probe/README", text):
            assert number in numbers, (file, number)
            cited += 1
    assert cited


def _rooms() -> set[str]:
    """The packages and modules directly under probe/, as the book writes them."""
    found = {f"probe/{path.name}" for path in (_ROOT / "probe").glob("*.py") if not path.stem.startswith("__")}
    return found | {f"probe/{path.parent.name}/" for path in (_ROOT / "probe").glob("*/__init__.py")}


def test_every_room_stands_in_the_book_and_no_other() -> None:
    """The table of rooms has each package and module directly under probe/, once."""
    named = [_words(row[0])[0] for row in _rows(_section("probe/README.md", "## Rooms"))]
    assert sorted(named) == sorted(_rooms())


def _contracts() -> list[dict[str, Any]]:
    contracts: list[dict[str, Any]] = tomllib.loads(_page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return contracts


def test_the_floors_are_those_that_are_kept() -> None:
    """The drawing of floors is the contract of import-linter, rooms that are not built left out."""
    (drawn,) = re.findall(r"(?ms)^```\n(.*?)^```", _section("probe/README.md", "## Floors"))
    kept = next(contract["layers"] for contract in _contracts() if contract["containers"] == ["probe"])
    assert [set(line.split(" | ")) for line in drawn.splitlines()] == [{r for r in f.split(" | ") if "(" not in r} for f in kept]


def test_the_walls_are_those_that_are_kept() -> None:
    """The table of walls has each contract of import-linter by its name."""
    assert [row[0] for row in _rows(_section("probe/README.md", "## Walls"))] == [contract["name"] for contract in _contracts()]


def _laws() -> list[list[str]]:
    return _rows(_section("probe/README.md", "## Laws"))


def test_the_laws_are_numbered() -> None:
    """Code and tests may cite a law by its number."""
    assert [row[0] for row in _laws()] == [str(number) for number in range(1, len(_laws()) + 1)]


@pytest.mark.parametrize("law", _laws(), ids=lambda row: row[0])
def test_each_law_is_held_by_tests_that_exist(law: list[str]) -> None:
    """A law names the tests that hold it, and each of them is a test."""
    named = [word.partition("::") for word in _words(law[-1])]
    assert named
    assert [f"{path}::{test}" for path, _, test in named if not test.startswith("test_") or test not in _defined(_ROOT / path)] == []


@pytest.mark.parametrize(
    ("heading", "scopes"), [("### A prober", Scope), ("### An inference", inferences.InferenceScope)], ids=["probers", "inferences"]
)
def test_every_scope_is_told(heading: str, scopes: type[Scope | inferences.InferenceScope]) -> None:
    """The table of scopes has each of them, and of probers what each is pointed at."""
    rows = _rows(_section("probe/README.md", heading))
    assert [row[0].strip("`") for row in rows] == [scope.name for scope in scopes]
    if scopes is Scope:
        assert [row[1].strip("`") for row in rows] == [SUBJECTS[scope].__name__ for scope in Scope]


def test_the_commands_are_those_of_the_command_line() -> None:
    """The table of commands has each command once."""
    named = [row[0].strip("`").split()[1] for row in _rows(_section("probe/CONTRACT.md", "## Commands"))]
    assert sorted(named) == sorted(cli.commands)


def test_the_options_are_those_of_the_command_line() -> None:
    """Every option that is named is one of a command, and every option of a command is named."""
    text = "".join(_section("probe/CONTRACT.md", heading) for heading in ("## Commands", "## Options", "## Importing"))
    parameters = [parameter for command in (cli, *COMMANDS.values()) for parameter in command.params]
    known = {option for parameter in parameters for option in parameter.opts if option.startswith("--")}
    assert set(re.findall(r"--[a-z][a-z-]*", text)) == known - {"--help"}


def test_the_formats_are_those_of_the_reports() -> None:
    """Each report is a format, and there is no other."""
    (line,) = re.findall(r"(?m)^Formats: .*$", _section("probe/CONTRACT.md", "## Options"))
    assert sorted(_words(line)) == sorted(catalogue.load("probe.reports", "REPORT", Report))


def test_the_formats_of_answers_that_are_no_run_are_told() -> None:
    """The commands of which the contract says that two formats are all are those that take no other."""
    (line,) = re.findall(r"(?m)^Of (`.*) the first two alone\.$", _section("probe/CONTRACT.md", "## Options"))
    named = set(_words(line))
    for name, command in COMMANDS.items():
        for parameter in command.params:
            if "--format" in parameter.opts:
                assert isinstance(parameter.type, click.Choice)
                is_named = name in named or name.split()[0] in named
                assert is_named == (set(parameter.type.choices) == {"json", "text"}), name


def test_the_schemes_of_endpoints_are_those_that_are_read() -> None:
    """Every scheme that an endpoint's URL may have is named, and no other."""
    with pytest.raises(ValueError, match="must begin with one of") as refused:
        Endpoint.parse("other://host:1")
    read = re.findall(r"([a-z0-9]+)://", str(refused.value).partition(" one of ")[2])
    assert sorted(re.findall(r"`([a-z0-9]+)://", _section("probe/CONTRACT.md", "## Options"))) == sorted(read)


def test_the_exit_codes_are_those_of_help() -> None:
    """The table of exit codes has the codes that `probe --help` lists."""
    told = re.findall(r"(?m)^  (\d+) ", EXIT_CODES)
    assert [row[0] for row in _rows(_section("probe/CONTRACT.md", "## Exit codes"))] == told
    (precedence,) = re.findall(r"Precedence ([\d, ]+)\.", _section("probe/CONTRACT.md", "## Exit codes"))
    assert sorted(precedence.split(", "), key=int) == told


def test_the_estate_is_one_that_is_read() -> None:
    """The estate of the contract is read without a mistake."""
    assert read_estate(_block("probe/CONTRACT.md", "toml"), "CONTRACT.md").mailboxes


@pytest.mark.parametrize("table", HEADINGS)
def test_the_keys_of_the_estate_are_those_that_are_read(table: str) -> None:
    """The estate of the contract has every table, and of it every key, that an estate may have."""
    shown = tomllib.loads(_block("probe/CONTRACT.md", "toml"))
    assert set(shown) == set(HEADINGS)
    rows = shown[table] if isinstance(shown[table], list) else [shown[table]]
    assert {key for row in rows for key in row} == set(TABLES[table].model_fields)


def test_the_document_is_one_that_is_read() -> None:
    """The document of the contract fits the schema, can be judged again, and leaves out nothing but what stands for it."""
    document = json.loads(_block("probe/CONTRACT.md", "json"))
    Draft202012Validator(schema()).validate(document)
    assert parse(document).form == "probe.run/2"
    assert [assessment.mailbox for assessment in app.judge(document).assessments] == ["sales@example.test"]


def test_the_gates_document_is_one_that_it_writes() -> None:
    """The gate's document of the contract fits the schema, its run aside."""
    Draft202012Validator(gate_schema()).validate(json.loads(_block("probe/CONTRACT.md", "jsonc")))


def test_the_closed_lists_are_those_of_the_code() -> None:
    """The table of closed lists has every list, and each its members in their order: of several, the first may count."""
    rows = _rows(_section("probe/CONTRACT.md", "### Closed lists"))
    assert {row[0].strip("`"): _words(row[1]) for row in rows} == {name: list(map(str, members)) for name, members in _LISTS.items()}


def _fixed_facts() -> list[list[str]]:
    return _rows(_section("probe/CONTRACT.md", "## Facts with fixed names"))


def test_facts_with_fixed_names_are_in_the_vocabulary() -> None:
    """Every key that the contract names exists, and is named once."""
    named = [key for row in _fixed_facts() for key in _words(row[0])]
    assert sorted(set(named)) == sorted(named)
    assert set(named) <= set(all_keys())


@pytest.mark.parametrize("row", [row for row in _fixed_facts() if "," not in row[0]], ids=lambda row: row[0].strip("`"))
def test_values_out_of_a_closed_list_are_named(row: list[str]) -> None:
    """Where a fact's value is one of a closed list, the contract has the list."""
    form = all_keys()[row[0].strip("`")].kind.schema
    closed = form.get("items", form).get("enum")
    if closed is not None:
        assert sorted(_words(row[1])) == sorted(closed)

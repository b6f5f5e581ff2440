"""How and where a result is written, and the progress that a person sees meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probe.cli.exit_codes import exit_code
from probe.cli.pipelines import annotations_of, defused, pipeline, told_to
from probe.cli.streams import INTERRUPTED_SECONDS, annotate, log_lines, message_in_json, tell, write_file, write_result
from probe.model.characters import visible
from probe.model.values import dataclass

if TYPE_CHECKING:
    from probe.app import Options
    from probe.document import ReportOptions as ReportOptions
    from probe.enabling import Pressed
    from probe.engine.plan import Conversation
    from probe.gate import Gated
    from probe.model.rules import Support
    from probe.model.runs import Run
    from probe.outlook import Outlook as Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How and where a result is written."""

    format: str
    file: Path | None
    quiet: bool
    verbose: bool
    transcripts: bool
    colour: bool
    log_format: str
    accept: frozenset[Support] = frozenset()
    """Verdicts on support that do not raise the exit code."""
    is_logged: bool = False
    """Whether standard error has a log, beside which a progress bar could not stand."""

    def write(self, pieces: Iterable[str], media_type: str, *, patience: float | None = None) -> None:
        """Write a result, as it is: reports see to what they hold by themselves. Raises NotWritten. The patience is that of `write_result`."""
        if self.file is None:
            if pipeline() is not None:
                pieces = defused(pieces, media_type)
            # What people read is for their console or pipe; the rest is UTF-8 for whoever reads it, as RFC 8259 section 8.1 wants it of JSON.
            write_result(pieces, is_utf8=not media_type.startswith("text/plain"), patience=patience)
            return
        write_file(self.file, pieces)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write a listing, visible whatever its lines hold. Raises NotWritten."""
        self.write((f"{visible(line)}\n" for line in lines), "text/plain")

    def write_form(self, form: Any) -> None:
        """Write a listing as JSON, its texts visible. Raises NotWritten."""
        from probe.document import json_pieces, shown

        self.write(json_pieces(shown(form)), "application/json")

    def log(self, text: str) -> None:
        """One message to standard error; in JSON it is one line."""
        if self.log_format == "json":
            log_lines(message_in_json("\n".join(map(visible, text.split("\n")))))
        else:
            tell(*f"probe: {text}".split("\n"))

    def write_run(self, run: Run) -> int:
        """Write a run as the report that was asked for; the exit code that it calls for. Raises NotWritten."""
        from probe.document import in_sections

        return self.write_document(in_sections(run), run)

    def write_document(self, document: Mapping[str, Any], run: Run) -> int:
        """Write the document of a run as the report that was asked for; the exit code that it calls for. Raises NotWritten."""
        from probe import catalogue
        from probe.document import Report

        report = catalogue.entry("probe.reports", self.format, "REPORT", Report)
        options = self.report_options()
        if report.looks_ahead and run.estate is not None and not (self.quiet or run.interrupted):
            options = replace(options, ahead=partial(_ahead, run))
        if report.with_exit_code is None:
            pieces, code = report.render(document, options), exit_code(run, self.accept)
        else:
            pieces, code = report.with_exit_code(document, options)
        self.write(pieces, report.media_type, patience=INTERRUPTED_SECONDS if run.interrupted else None)
        if (which := pipeline()) is not None:
            annotate(told_to(which, annotations_of(document, self.accept), colour=self.colour))
        return code

    def write_gate(self, gated: Gated, pressed: Pressed | None = None) -> None:
        """Write the gate's answer, with what came of Test & Enable where that was asked for, as text or JSON. Raises NotWritten."""
        from probe.gate import EnabledForms, gate_json, gate_text, published

        forms = None
        if pressed is not None:
            forms = EnabledForms(batch=pressed.batch, enabled=pressed.enabled, not_asked=pressed.not_asked, notes=pressed.notes)
        document = published(gated, forms)
        is_json = self.format == "json"
        pieces = gate_json(document) if is_json else gate_text(document, self.report_options())
        media_type = "application/json" if is_json else "text/plain; charset=utf-8"
        is_interrupted = gated.run.interrupted or (pressed is not None and pressed.is_interrupted)
        self.write(pieces, media_type, patience=INTERRUPTED_SECONDS if is_interrupted else None)

    def report_options(self) -> ReportOptions:
        """How a report is wanted."""
        from probe.document import ReportOptions

        is_terminal = self.file is None and sys.stdout.isatty()
        width = min(_columns(), 120) if is_terminal else 80
        return ReportOptions(
            width=width,
            colour=self.colour and is_terminal,
            transcripts=self.transcripts,
            quiet=self.quiet,
            verbose=self.verbose,
            accept=self.accept,
        )

    @contextmanager
    def progress(self, options: Options) -> Iterator[Options]:
        """The options with a progress bar on standard error, where a person looks on."""
        if self.quiet or self.is_logged or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            yield options
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, no_color=not self.colour)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("probing", total=None)
            reading: list[TaskID] = []

            def advance(left: Collection[Conversation], of: int) -> None:
                bar.update(task, total=of, completed=of - len(left))

            def have_come(count: int) -> None:
                if not reading:
                    reading.append(bar.add_task("mailboxes of Dynamics", total=None))
                bar.update(reading[0], completed=count)

            yield replace(options, progress=advance, rows_progress=have_come)


def _ahead(run: Run) -> Outlook:
    from probe import app
    from probe.outlook import FAR, Outlook, day_after, unseen

    until = day_after(run.judged_at, FAR)
    return Outlook(run.judged_at, until, app.outlook(run, until), list(unseen(run)))


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns

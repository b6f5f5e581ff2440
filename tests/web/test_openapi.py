"""The description of the API: schemathesis makes requests out of it, good and bad, and finds no answer that it does not describe."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from probe.web.tokens import TokenScope
from tests.hostile import closed_port
from tests.web.world import checked, estate_at, world

_KNOWN = {
    "/v1/mailboxes/{name}": '{ name = "sales@branch.test" }',
    "/v1/rules/{rule_id}": '{ rule_id = "certificate-expired" }',
}
"""Names that the estate has, which nobody would make up."""
_REFUSALS = "[checks.negative_data_rejection]\nexpected-statuses = [400, 404, 405, 409, 415, 422, 429, 431, 503]\n"
"""What may answer what does not fit the description; a name that is too long may be too long for a request's head, too."""


@pytest.mark.timeout(600)
async def test_schemathesis_finds_no_fault(tmp_path: Path) -> None:
    """Each operation answers as described to what fits the description, and to what does not; none with a failure of the program."""
    estate = estate_at(f"pop3://localhost:{closed_port()}", f"smtp://localhost:{closed_port()}", "sales@branch.test", "o'neill@branch.test")
    began = time.monotonic()
    # Budgets of requests are tested elsewhere; here a second of them passes in a millisecond.
    async with world(tmp_path, await checked(estate), monotonic=lambda: began + (time.monotonic() - began) * 1000) as made:
        token = made.tokens.create("schemathesis", TokenScope.CHECK, made.time.now)
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{made.asker.url}/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {token}", "--max-examples", "25", "--seed", "1", "--no-color"),
            # Loopback reads without a token, by design; and a scope that is too small is no method that does not exist.
            *("--exclude-checks", "ignored_auth", "--request-timeout", "60"),
        ]
        (tmp_path / "schemathesis.toml").write_text(
            _REFUSALS
            + "\n".join(f'[[operations]]\ninclude-path = "{path}"\nparameters = {parameters}\n' for path, parameters in _KNOWN.items())
        )
        running = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
        )
        said, _ = await running.communicate()
    assert running.returncode == 0, "\n".join(line[:300] for line in said.decode().splitlines()[-200:])


async def test_the_description_is_whole(tmp_path: Path) -> None:
    """Every operation of the contract is described, every error as problem details, and no page of documentation loads anything from elsewhere."""
    async with world(tmp_path) as made:
        answer = await made.asker.ask("/v1/openapi.json")
        described = answer.json()
        assert (await made.asker.ask("/docs")).status == (await made.asker.ask("/redoc")).status == 404
    assert described["openapi"].startswith("3.1")
    operations = {f"{method.upper()} {path}" for path, of_it in described["paths"].items() for method in of_it}
    assert operations == {
        "GET /healthz", "GET /readyz", "GET /metrics", "GET /probe", "GET /v1/summary", "GET /v1/mailboxes", "GET /v1/mailboxes/{name}",
        "GET /v1/causes", "GET /v1/endpoints", "GET /v1/endpoints/{name}", "GET /v1/endpoints/{endpoint_id}/transcripts",
        "GET /v1/changes", "GET /v1/coming", "GET /v1/coming/unseen", "GET /v1/jobs", "GET /v1/runs", "GET /v1/schedule",
        "GET /v1/runs/{run_id}", "GET /v1/rules", "GET /v1/rules/{rule_id}",
        "POST /v1/checks", "POST /v1/gate", "GET /v1/gate/{job_id}", "GET /v1/enabling/{job_id}",
    }  # fmt: skip
    for of_path in described["paths"].values():
        for operation in of_path.values():
            assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    assert "MARKED" not in json.dumps(described)

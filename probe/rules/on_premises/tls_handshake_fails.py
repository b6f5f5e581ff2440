"""The TLS handshake does not come to its end.

Decided by the deployment's own Windows, where it was asked what it gets: a handshake that this program's OpenSSL could not make is then
no fault of the server's, only a limit of what was seen.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask
from probe.model.facts import Facts
from probe.model.rules import By, Otherwise, Rule
from probe.rules import SERVED, admin_page, each, of_endpoints, rfc, uses, was_asked


def _comes_to_its_end(endpoint: Facts) -> Answer:
    of_windows = all_of(was_asked(endpoint, v.TLS_DEPLOYMENT_GETS), ask(endpoint, v.TLS_DEPLOYMENT_GETS, bool))
    return any_of(ask(endpoint, v.TLS_COMPLETED, bool), of_windows)


RULE = Rule(
    id="tls-handshake-fails",
    title="TLS handshake fails",
    statement=(
        "A TLS handshake with every endpoint that is used succeeds: this program's own or, where that was asked for, that of the deployment's "
        "Windows."
    ),
    references=(
        rfc(8446, "The Transport Layer Security (TLS) Protocol Version 1.3, section 4.1.1 (cryptographic negotiation)", "2018-08"),
        admin_page("Troubleshooting and monitoring server-side synchronization", "troubleshooting-monitoring-server-side-synchronization"),
    ),
    needs=SERVED | of_endpoints(v.TLS_COMPLETED, v.TLS_DEPLOYMENT_GETS),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=each(_comes_to_its_end),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Enable TLS 1.2 on HOST, with a cipher suite that both ends have. The failure stands in the transcript (`--show transcripts`) and in the mail server's log (on Windows: Schannel events 36874 and 36888)."
    ),
)

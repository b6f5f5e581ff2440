"""A server from which the deployment's own Windows, its FIPS policy on or off, gets no TLS session.

Asked with one hello that offers what this Windows offers. Where nobody asked (`--tls none`), this program's own handshake decides, by the
rule on handshakes that fail.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of, any_of, ask, negate
from probe.model.facts import Facts
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import READ_ON, SERVED, any_served, each, of_endpoints, served, told, was_asked


def _gets_a_session(endpoint: Facts) -> Answer:
    gets = ask(endpoint, v.TLS_DEPLOYMENT_GETS, bool)
    # Decided by the first alone; of a no, the reasons that were found are cited too.
    with_reasons = all_of(gets, told(endpoint, v.FIPS_REASONS, lambda reasons: Truth.NO if reasons else Truth.UNKNOWN))
    return any_of(negate(was_asked(endpoint, v.TLS_DEPLOYMENT_GETS)), gets, with_reasons)


RULE = Rule(
    id="no-tls-with-the-deployments-windows",
    title="No TLS session with the deployment's Windows",
    statement=(
        "The Windows that runs the deployment, with its FIPS policy as the estate declares it, gets a TLS session with every endpoint that is used."
    ),
    references=(
        Reference(
            "Cipher Suites in TLS/SSL (Schannel SSP)",
            "https://learn.microsoft.com/en-us/windows/win32/secauthn/cipher-suites-in-schannel",
            READ_ON,
        ),
        Reference(
            "Protocols in TLS/SSL (Schannel SSP)",
            "https://learn.microsoft.com/en-us/windows/win32/secauthn/protocols-in-tls-ssl--schannel-ssp-",
            READ_ON,
        ),
        Reference(
            "System cryptography: Use FIPS compliant algorithms for encryption, hashing, and signing",
            "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-10/security/threat-protection/"
            "security-policy-settings/system-cryptography-use-fips-compliant-algorithms-for-encryption-hashing-and-signing",
            READ_ON,
        ),
    ),
    needs=SERVED | of_endpoints(v.TLS_DEPLOYMENT_GETS, v.FIPS_REASONS),
    by=By.READINESS,
    lists=False,
    applies=lambda case: any_served(served(case), lambda endpoint: was_asked(endpoint, v.TLS_DEPLOYMENT_GETS)),
    holds=each(_gets_a_session),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Change on the mail server what `fips.reasons` or the transcript of the hello names: most often TLS 1.2 with an ECDHE and AES-GCM suite "
        "on P-256 or P-384, or a certificate with an RSA key of 2048 bits or more, signed with SHA-256. "
        "`probe look --tls full --fips WINDOWS ENDPOINT` lists everything that the server accepts."
    ),
)

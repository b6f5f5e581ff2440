"""A deployment in FIPS mode, and a server that its Windows then gets no TLS session from."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import READ_ON, any_served, every_served, needs_of_served, served, works_in_fips_mode


def _applies(case: Case) -> Answer:
    return all_of(ask(case.deployment, v.DEPLOYMENT_FIPS, bool), any_served(served(case)))


def _holds(case: Case) -> Answer:
    return every_served(served(case), works_in_fips_mode)


RULE = Rule(
    id="no-tls-in-common-in-fips-mode",
    title="A server with which the deployment's Windows shares no TLS in FIPS mode",
    statement="The Windows that runs the deployment comes, in FIPS mode, to a TLS session with every endpoint that is used.",
    references=(
        Reference(
            "System cryptography: Use FIPS compliant algorithms for encryption, hashing, and signing",
            "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-10/security/threat-protection/"
            "security-policy-settings/system-cryptography-use-fips-compliant-algorithms-for-encryption-hashing-and-signing",
            READ_ON,
        ),
        Reference(
            "Cipher Suites in TLS/SSL (Schannel SSP)",
            "https://learn.microsoft.com/en-us/windows/win32/secauthn/cipher-suites-in-schannel",
            READ_ON,
        ),
    ),
    needs=needs_of_served(v.FIPS_REASONS, deployment=(v.DEPLOYMENT_FIPS,)),
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Change on the mail server what the reason names: most often TLS 1.2 with an ECDHE and AES-GCM suite on P-256 or P-384, or a certificate "
        "with an RSA key of 2048 bits or more, signed with SHA-256. All that it takes is listed by `probe look --tls full --fips WINDOWS ENDPOINT`"
    ),
)

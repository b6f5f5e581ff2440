"""Why a server does not let somebody in: the closed list."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """What a server that refuses an account may mean, as far as its words tell."""

    MFA_REQUIRED = "mfa-required"
    APP_PASSWORD_REQUIRED = "app-password-required"  # noqa: S105 - a word, no secret
    OAUTH_REQUIRED = "oauth-required"
    BASIC_AUTH_DISABLED = "basic-auth-disabled"
    PROTOCOL_DISABLED = "protocol-disabled"
    BAD_CREDENTIALS = "bad-credentials"
    ACCOUNT_LOCKED = "account-locked"
    THROTTLED = "throttled"
    TLS_REQUIRED = "tls-required"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105
    ACCOUNT_DISABLED = "account-disabled"
    BLOCKED_BY_POLICY = "blocked-by-policy"
    TEMPORARY_FAILURE = "temporary-failure"

"""Dynamics' own records, through the Web API of an on-premises organization: signing in, reading, and asking for Test & Enable.

It is a client of a system that the operator trusts, and yet goes through the one door to the network: the same verified TLS, limits and deadlines, h11 over
a Stream. A library with sockets of its own would need those told to it again, and cannot be told on which connection a request goes, by which NTLM stands
and falls. Its conversations are too long for a transcript; each request leaves one line there.
"""

from probe.dynamics.client import Client, Enabling, signed_in
from probe.dynamics.failures import (
    BadRecord,
    MissingPrivilege,
    NotWhole,
    NoWebApi,
    OtherOrganization,
    RequestFailed,
    SignInFailed,
    SignInPage,
)
from probe.dynamics.options import Option, OptionSets
from probe.dynamics.records import EmailServerProfile, MailboxRow, MoreThan, Organization, PendingMail, TraceLog
from probe.dynamics.signing_in import Credential

__all__ = [
    "BadRecord",
    "Client",
    "Credential",
    "EmailServerProfile",
    "Enabling",
    "MailboxRow",
    "MissingPrivilege",
    "MoreThan",
    "NoWebApi",
    "NotWhole",
    "Option",
    "OptionSets",
    "Organization",
    "OtherOrganization",
    "PendingMail",
    "RequestFailed",
    "SignInFailed",
    "SignInPage",
    "TraceLog",
    "signed_in",
]

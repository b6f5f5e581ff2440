"""Signs in to EWS once, and looks into folders, asks Autodiscover, or takes one message away: what runs in the child process.

The library that does it is loaded when it is needed, never before: it takes more than a second.
"""

from __future__ import annotations

from probe.net.ews_requests import AutodiscoverResult, EwsRequest, EwsResult, MessageRemoval, RemovalResult


def find_folders(request: EwsRequest) -> EwsResult:
    """FindFolder on each folder, by one request each, and FindItem for a number where that is asked for, all on one logon.

    Blocks; raises nothing for what a peer does.
    """
    from probe.net import ews_protocol

    return ews_protocol.find_folders(request)


def find_directions(request: EwsRequest) -> AutodiscoverResult:
    """Ask Autodiscover where the mailbox is: by SOAP, and by the plain form where that is not answered, on one logon in all.

    What would need a second proof of the password is not asked, as the plain form by Basic. Blocks; raises nothing for what a peer does.
    """
    from probe.net import ews_protocol

    return ews_protocol.find_directions(request)


def take_message(taking: MessageRemoval) -> RemovalResult:
    """One FindItem for the subject, and one DeleteItem for what has exactly that; on one logon. Blocks; raises nothing for what a peer does."""
    from probe.net import ews_protocol

    return ews_protocol.take_message(taking)

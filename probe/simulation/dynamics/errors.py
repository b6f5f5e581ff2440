"""The refusals of the Web API: status, code and text.

Codes are those of the developer's pages and of answers that people have shown (read 2026-11). That on-premises servers throttle, and which
code a Windows account gets that is no user, is *unconfirmed*.
"""

from __future__ import annotations

import json
from typing import Any

from probe.simulation.dynamics.metadata import Entity, made_id
from probe.simulation.web import Response

JSON = ("Content-Type", "application/json; odata.metadata=minimal")
ODATA = ("OData-Version", "4.0")

_FAULT = (
    "System.ServiceModel.FaultException`1[[Microsoft.Xrm.Sdk.OrganizationServiceFault, Microsoft.Xrm.Sdk, Version=9.0.0.0, "
    "Culture=neutral, PublicKeyToken=31bf3856ad364e35]]"
)
_ODATA_EXCEPTION = "Microsoft.OData.ODataException"


class Refused(Exception):
    """A request is refused. `code` may be empty, as it often is before a record is read."""

    def __init__(self, status: int, code: str, message: str, *, kind: str = _FAULT) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.kind = kind

    def response(self, *, inner: bool, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """The response; on-premises servers were seen to add the exception as `innererror` (*unconfirmed* for every version)."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if inner:
            trace = "   at Microsoft.Crm.Extensibility.OData.CrmODataExecutionContext.CreateHttpResponse()"
            error["innererror"] = {"message": self.message, "type": self.kind, "stacktrace": trace}
        return Response(self.status, (JSON, ODATA, *headers), json.dumps({"error": error}).encode())


def unreadable(message: str) -> Refused:
    """The URL or the body does not fit the model, so there is no code of the platform."""
    return Refused(400, "", message, kind=_ODATA_EXCEPTION)


def no_property(name: str, entity: str) -> Refused:
    return unreadable(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{entity}'.")


def no_segment(name: str) -> Refused:
    return Refused(404, "", f"Resource not found for the segment '{name}'.", kind=_ODATA_EXCEPTION)


def no_record(entity: str, identifier: str) -> Refused:
    return Refused(404, "0x80040217", f"{entity} With Id = {identifier} Does Not Exist")


def missing_privilege(privilege: str, user: str, entity: Entity | None = None) -> Refused:
    """The signed-in user lacks a privilege; 0x80040220 is PrivilegeDenied."""
    where = f" on OTC={entity.code} for entity '{entity.name}'" if entity else ""
    message = f"Principal user (Id={user}, type=8) is missing {privilege} privilege (Id={made_id('privilege', privilege)}){where}"
    return Refused(403, "0x80040220", message)


def no_user() -> Refused:
    """The account signed in to Windows, but is not a user of this organization."""
    return Refused(403, "0x80041d1f", "The user is not a member of the organization.")


def changed_meanwhile() -> Refused:
    return Refused(412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.")


def too_many_to_aggregate() -> Refused:
    return Refused(400, "0x8004e023", "AggregateQueryRecordLimit exceeded. Cannot perform this operation.")


def throttled() -> Refused:
    message = "Number of requests exceeded the limit of 6000, measured over time window of 300 seconds."
    return Refused(429, "0x80072322", message)


def unavailable() -> Refused:
    return Refused(503, "0x80044150", "The server is busy and the request was not completed. Try again later.")


def unspoken(status: int, version: str) -> Refused:
    """A version of the Web API that the server does not have."""
    return Refused(status, "", f"The API version '{version}' is not supported.", kind=_ODATA_EXCEPTION)


def not_allowed(method: str) -> Refused:
    return Refused(405, "0x80060888", f"The requested resource does not support http method '{method}'.")

"""The Web API of a simulated organization, asked as a client asks it."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from probe.simulation.dynamics.metadata import GERMAN
from probe.simulation.dynamics.organization import Organization, WaitingMail
from tests.simulation.dynamics.caller import ROOT, Answer, Caller, query
from tests.simulation.dynamics.world import LIMITED, READER, asked, server

OLD_ROOT = ROOT.replace("9.1", "9.0")
PATCH = {"If-Match": "*"}
SCHEDULED = {"testemailconfigurationscheduled": True}


def _organization(mailboxes: int = 3, version: str = "9.1.17.29") -> tuple[Organization, str]:
    organization = Organization(version=version)
    profile = organization.add_profile(
        "Exchange", incomingserverlocation="https://mail.contoso.test/EWS/Exchange.asmx", incomingpassword="x"
    )
    for number in range(mailboxes):
        organization.add_mailbox(f"user{number:05}@contoso.test", profile)
    return organization, profile


async def _get(organization: Organization, resource: str, headers: dict[str, str] | None = None) -> Answer:
    async with server(organization) as site:
        return await asked(site, lambda caller: caller.get(resource, headers))


async def test_it_says_who_and_what_it_is() -> None:
    """WhoAmI names user and organization, RetrieveVersion the version, and the organization's record its name."""
    organization, _ = _organization()
    async with server(organization) as site:

        def questions(caller: Caller) -> list[Answer]:
            return [caller.get(each) for each in ("WhoAmI", "RetrieveVersion()", f"organizations({organization.id})?$select=name")]

        who, version, record = await asked(site, questions)
        assert who.document["@odata.context"] == (f"http://127.0.0.1:{site.port}{ROOT}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse")
        assert [path for _, path in site.asked] == [
            "/api/data/v9.1/WhoAmI",
            "/api/data/v9.1/WhoAmI",
            "/api/data/v9.1/RetrieveVersion()",
            f"/api/data/v9.1/organizations({organization.id})",
        ]
    assert (who.document["UserId"], who.document["OrganizationId"]) == (READER.id, organization.id)
    assert version.document["Version"] == "9.1.17.29"
    assert (record.document["name"], record.document["organizationid"]) == ("Contoso", organization.id)
    assert who.headers["OData-Version"] == "4.0"
    assert who.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("status", [404, 501])
async def test_an_older_version_does_not_speak_a_newer_one(status: int) -> None:
    """A server of 9.0 answers 9.0, and 9.1 with an error; one of 9.1 answers both."""
    for version, expected in (("9.0.51.7", [status, 200]), ("9.1.17.29", [200, 200])):
        async with server(Organization(version=version), unspoken_status=status) as site:

            def questions(caller: Caller) -> list[int]:
                return [caller.get(f"/Contoso/api/data/{each}/WhoAmI").status for each in ("v9.1", "v9.0")]

            assert await asked(site, questions) == expected


async def test_names_of_attributes() -> None:
    """The metadata lists every attribute, those too that no request can select, and those alone that the version has."""
    names = {}
    for version in ("9.0.51.7", "9.1.17.29"):
        resource = "EntityDefinitions(LogicalName='emailserverprofile')/Attributes?$select=LogicalName"
        entries = (await _get(Organization(version=version), f"{OLD_ROOT}/{resource}")).document["value"]
        names[version] = {each["LogicalName"] for each in entries}
        assert set(entries[0]) == {"@odata.type", "LogicalName", "MetadataId"}
        assert entries[0]["@odata.type"] == "#Microsoft.Dynamics.CRM.UniqueidentifierAttributeMetadata"
    assert {"servertype", "incomingpassword", "statecodename"} <= names["9.0.51.7"]
    assert names["9.1.17.29"] - names["9.0.51.7"] == {"oauthclientid", "oauthclientsecret"}


def _options(answer: Answer) -> dict[str, dict[int, str]]:
    return {
        each["LogicalName"]: {option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"] for option in each["OptionSet"]["Options"]}
        for each in answer.document["value"]
    }


async def test_option_sets_differ_between_versions() -> None:
    """Option sets come by the cast to picklists, with their labels; those of 9.1 have options that 9.0 has not."""
    resource = (
        "EntityDefinitions(LogicalName='emailserverprofile')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
        "?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
    )
    old = _options(await _get(Organization(version="9.0.51.7"), f"{OLD_ROOT}/{resource}"))
    new = _options(await _get(Organization(), resource))
    assert list(old["servertype"]) == [0, 1, 2, 3]
    assert new["servertype"][4] == "IMAP/SMTP"
    assert list(old["incomingcredentialretrieval"]) == [0, 1, 2, 3, 4]
    assert list(new["incomingcredentialretrieval"]) == [0, 1, 2, 3, 4, 5, 6]
    assert new["exchangeversion"][5] == "Exchange 2013"


async def test_other_casts() -> None:
    """States, statuses and booleans have option sets of their own casts, one attribute may be asked for alone, and without a cast there are none."""
    attributes = "EntityDefinitions(LogicalName='mailbox')/Attributes"
    organization, _ = _organization()
    async with server(organization) as site:

        def questions(caller: Caller) -> list[Answer]:
            return [
                caller.get(f"{attributes}/Microsoft.Dynamics.CRM.StateAttributeMetadata?$select=LogicalName&$expand=OptionSet"),
                caller.get(f"{attributes}/Microsoft.Dynamics.CRM.BooleanAttributeMetadata?$select=LogicalName&$expand=OptionSet"),
                caller.get(
                    f"{attributes}(LogicalName='actdeliverymethod')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$expand=OptionSet"
                ),
                caller.get(f"{attributes}?$select=LogicalName&$expand=OptionSet"),
                caller.get(f"{attributes}(LogicalName='nothing')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"),
                caller.get("EntityDefinitions(LogicalName='account')/Attributes"),
            ]

        states, booleans, one, without, nothing, account = await asked(site, questions)
    assert _options(states) == {"statecode": {0: "Active", 1: "Inactive"}}
    assert booleans.document["value"][0]["OptionSet"]["TrueOption"]["Value"] == 1
    assert [option["Value"] for option in one.document["OptionSet"]["Options"]] == [0, 1, 2]
    assert (without.status, nothing.status, account.status) == (400, 404, 404)


async def test_a_row_has_what_was_selected() -> None:
    """A row has its id, its etag and what was selected; lookups have the name that ends in _value, and no value is null rather than left out."""
    organization, profile = _organization(1)
    resource = "mailboxes" + query(select="emailaddress,_emailserverprofile_value,ewsurl,actstatus")
    answer = await _get(organization, resource)
    (row,) = answer.document["value"]
    assert row.pop("@odata.etag").startswith('W/"')
    assert row.pop("mailboxid") in organization.mailboxes
    assert row == {"emailaddress": "user00000@contoso.test", "_emailserverprofile_value": profile, "ewsurl": None, "actstatus": 0}
    assert answer.headers["Preference-Applied"] is None
    assert answer.document["@odata.context"].endswith("#mailboxes(mailboxid,emailaddress,_emailserverprofile_value,ewsurl,actstatus)")


async def test_annotations() -> None:
    """Annotations say how users read a value, which table a lookup leads to, and whether a count has stopped; those alone that were asked for."""
    organization, profile = _organization(1)
    queue = organization.add_mailbox("queue@contoso.test", profile, testmailboxaccesscompletedon="2026-11-01T08:05:00Z", noemailcount=1234)
    organization.queues.add(queue)
    alert = organization.add_trace_log(queue, level=3)
    select = "_emailserverprofile_value,_regardingobjectid_value,_ownerid_value,testmailboxaccesscompletedon,noemailcount"
    resource = "mailboxes" + query(select=select, count="true", filter="emailaddress ne 'nobody'")
    lookup, formatted = "Microsoft.Dynamics.CRM.lookuplogicalname", "OData.Community.Display.V1.FormattedValue"
    async with server(organization) as site:

        def questions(caller: Caller) -> list[Answer]:
            everything = {"Prefer": 'odata.include-annotations="*"'}
            return [
                caller.get(resource, everything),
                caller.get(resource, {"Prefer": f'odata.maxpagesize=5,odata.include-annotations="{lookup}"'}),
                caller.get(f"tracelogs({alert})", everything),
            ]

        all_of_them, tables, log = await asked(site, questions)
    user_row, queue_row = all_of_them.document["value"]
    assert queue_row[f"_emailserverprofile_value@{formatted}"] == "Exchange"
    assert queue_row[f"_emailserverprofile_value@{lookup}"] == "emailserverprofile"
    assert [row[f"_regardingobjectid_value@{lookup}"] for row in (user_row, queue_row)] == ["systemuser", "queue"]
    assert queue_row[f"_ownerid_value@{lookup}"] == "systemuser"
    assert queue_row[f"testmailboxaccesscompletedon@{formatted}"] == "11/1/2026 8:05 AM"
    assert queue_row[f"noemailcount@{formatted}"] == "1,234"
    assert all_of_them.document["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    assert {name.partition("@")[2] for name in tables.document["value"][0] if "@" in name} == {"odata.etag", lookup}
    assert tables.headers["Preference-Applied"] == f'odata.maxpagesize=5,odata.include-annotations="{lookup}"'
    assert log.document[f"_regardingobjectid_value@{lookup}"] == "mailbox"


async def test_labels_are_in_the_user_s_language() -> None:
    """Labels and formatted values are in the language of the user, and the values are the same."""
    organization, _ = _organization(1)
    resource = "EntityDefinitions(LogicalName='mailbox')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    async with server(organization, language=GERMAN) as site:

        def questions(caller: Caller) -> tuple[Answer, Answer]:
            annotated = {"Prefer": 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'}
            return caller.get(f"{resource}?$select=LogicalName&$expand=OptionSet"), caller.get("mailboxes?$select=actstatus", annotated)

        options, rows = await asked(site, questions)
    assert _options(options)["actstatus"] == {0: "Nicht ausgeführt", 1: "Erfolg", 2: "Fehler"}
    assert rows.document["value"][0]["actstatus@OData.Community.Display.V1.FormattedValue"] == "Nicht ausgeführt"


async def test_documents_may_come_compressed_and_in_chunks() -> None:
    """IIS may compress a document for who takes that, and send it in chunks without a declared length."""
    async with server(Organization(), compresses=True, chunks=True) as site:

        def questions(caller: Caller) -> tuple[Answer, Answer]:
            return caller.get("WhoAmI", {"Accept-Encoding": "gzip, deflate"}), caller.get("WhoAmI", {"Accept-Encoding": "identity"})

        packed, plain = await asked(site, questions)
    assert (packed.headers["Content-Encoding"], packed.headers["Transfer-Encoding"]) == ("gzip", "chunked")
    assert packed.headers["Content-Length"] is None
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("mailboxes?$select=name,aadresourceid", "aadresourceid"),
        ("mailboxes?$select=password", "password"),
        ("mailboxes?$select=emailserverprofile", "emailserverprofile"),
        ("mailboxes?$select=statecodename", "statecodename"),
        ("mailboxes?$filter=nothing%20eq%201", "nothing"),
        ("mailboxes?$orderby=nothing", "nothing"),
    ],
)
async def test_an_attribute_that_is_not_there(resource: str, name: str) -> None:
    """A property that the type does not have is 400, with no code of the platform and the exception within; so is one that may not be read."""
    organization, _ = _organization()
    answer = await _get(organization, resource)
    text = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.mailbox'."
    assert answer.status == 400
    assert (answer.error["code"], answer.error["message"]) == ("", text)
    assert answer.error["innererror"]["type"] == "Microsoft.OData.ODataException"
    assert answer.error["innererror"]["message"] == text


async def test_inner_errors_may_be_left_out() -> None:
    """A server may keep the exception to itself."""
    async with server(Organization(), shows_inner_error=False) as site:
        answer = await asked(site, lambda caller: caller.get("nothing"))
    assert answer.error == {"code": "", "message": "Resource not found for the segment 'nothing'."}


FILTERS = {
    "emailaddress eq 'USER00001@contoso.test'": [1],
    "emailaddress ne 'user00001@contoso.test'": [0, 2, 3],
    "incomingemaildeliverymethod eq 2 and statecode eq 0": [0, 1, 2],
    "incomingemaildeliverymethod eq 3 or actdeliverymethod eq 1": [1, 3],
    "not (incomingemaildeliverymethod eq 2)": [3],
    "enabledforact eq true": [2],
    "lastsyncerroroccurredon eq null": [0, 1, 3],
    "lastsyncerroroccurredon ne null": [2],
    "lastsyncerroroccurredon ge 2026-11-20T00:00:00Z": [2],
    "lastsyncerroroccurredon gt 2026-11-21T13:00:00%2B01:00": [],
    "lastsyncerroroccurredon le 2026-11-21T13:00:00%2B01:00": [2],
    "lastsyncerroroccurredon lt 2026-11-22": [2],
    "contains(emailaddress,'00002')": [2],
    "startswith(emailaddress,'user') and endswith(emailaddress,'3@contoso.test')": [3],
    "noemailcount gt 0": [],
    "_emailserverprofile_value eq {profile}": [0, 1, 2, 3],
    "mailboxid eq {first}": [0],
    "Microsoft.Dynamics.CRM.In(PropertyName='mailboxid',PropertyValues=['{first}','{second}'])": [0, 1],
}


@pytest.mark.parametrize("text", FILTERS)
async def test_filters(text: str) -> None:
    """A filter lets through what it says, in any case of its texts; nothing is greater or less than null."""
    organization, profile = _organization()
    ids = list(organization.mailboxes)
    organization.mailboxes[ids[1]]["actdeliverymethod"] = 1
    organization.mailboxes[ids[2]].update(enabledforact=True, lastsyncerroroccurredon="2026-11-21T12:00:00Z")
    ids.append(organization.add_mailbox("user00003@contoso.test", profile, incomingemaildeliverymethod=3))
    wanted = text.format(profile=profile, first=ids[0], second=ids[1]).replace(" ", "%20")
    answer = await _get(organization, f"mailboxes?$select=emailaddress&$filter={wanted}")
    assert [ids.index(row["mailboxid"]) for row in answer.document["value"]] == FILTERS[text]


@pytest.mark.parametrize(
    "text",
    [
        "emailaddress eq",
        "emailaddress is 'a'",
        "(statecode eq 0",
        "statecode eq 0)",
        "statecode eq 'a'",
        "emailaddress eq 1",
        "mailboxid eq 'a'",
        "createdon gt 2026-13-41",
        "createdon gt null",
        "statecode eq 0 xor",
        "contains(emailaddress,1)",
        "!",
        "1 eq statecode",
    ],
)
async def test_filters_that_are_none(text: str) -> None:
    """A filter that cannot be read, or compares what cannot be compared, is 400."""
    organization, _ = _organization()
    answer = await _get(organization, f"mailboxes{query(filter=text)}")
    assert (answer.status, answer.error["code"]) == (400, "")


async def test_order_and_top() -> None:
    """Rows come in the order asked for, and $top takes the first without a link to more."""
    organization, _ = _organization(4)
    answer = await _get(
        organization,
        "mailboxes" + query(select="emailaddress", orderby="emailaddress desc", top="2"),
    )
    assert [row["emailaddress"] for row in answer.document["value"]] == ["user00003@contoso.test", "user00002@contoso.test"]
    assert "@odata.nextLink" not in answer.document
    wrong = [f"mailboxes{each}" for each in (query(orderby="emailaddress down"), query(top="few"), query(unknown="1"), query(apply="x"))]
    wrong += [f"organizations({organization.id}){query(filter='x')}", "EntityDefinitions(LogicalName='mailbox')/Attributes?$top=1"]
    for resource in wrong:
        assert (await _get(organization, resource)).status == 400, resource


async def test_pages() -> None:
    """A page has as many rows as were preferred, and a link on the same origin that keeps the query; the last has none."""
    organization, _ = _organization(5)
    prefer = {"Prefer": "odata.maxpagesize=2"}
    async with server(organization) as site:

        def questions(caller: Caller) -> list[Answer]:
            pages = [caller.get("mailboxes" + query(select="emailaddress", count="true", filter="statecode eq 0"), prefer)]
            while link := pages[-1].document.get("@odata.nextLink"):
                split = urlsplit(link)
                assert (split.scheme, split.netloc, split.path) == ("http", f"127.0.0.1:{site.port}", f"{ROOT}/mailboxes")
                pages.append(caller.get(f"{split.path}?{split.query}", prefer))
            return pages

        pages = await asked(site, questions)
    assert [len(page.document["value"]) for page in pages] == [2, 2, 1]
    assert {page.document["@odata.count"] for page in pages} == {5}
    assert {page.headers["Preference-Applied"] for page in pages} == {"odata.maxpagesize=2"}
    assert len({row["mailboxid"] for page in pages for row in page.document["value"]}) == 5


async def test_a_link_that_was_tampered_with() -> None:
    """A paging cookie that the server did not give is 400."""
    organization, _ = _organization(5)
    answer = await _get(organization, "mailboxes?$skiptoken=2")
    assert (answer.status, answer.error["message"]) == (400, "Malformed paging cookie in the $skiptoken.")


async def test_the_count_stops() -> None:
    """Without a preference a page has 5,000 rows, and the count stops there too."""
    organization, _ = _organization(5001)
    answer = await _get(organization, "mailboxes?$select=mailboxid&$count=true")
    assert (answer.document["@odata.count"], len(answer.document["value"])) == (5000, 5000)
    assert "@odata.nextLink" in answer.document


async def test_mails_that_wait() -> None:
    """Mails in Pending Send are counted by the mailbox of their sender, with the oldest; those without one are a group without the property."""
    organization, _ = _organization(1)
    (mailbox,) = organization.mailboxes
    old, new = datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    organization.pending = {mailbox: WaitingMail(12, old, new), None: WaitingMail(3, new, new)}
    apply = "filter(statuscode eq 6)/groupby((_sendermailboxid_value),aggregate($count as n,createdon with min as oldest))"
    answer = await _get(organization, f"emails{query(apply=apply)}")
    assert answer.document["value"] == [
        {"_sendermailboxid_value": mailbox, "n": 12, "oldest": "2026-11-01T08:00:00Z"},
        {"n": 3, "oldest": "2026-11-02T00:00:00Z"},
    ]
    organization.pending[mailbox] = WaitingMail(50_000, old, new)
    refused = await _get(organization, f"emails{query(apply=apply)}")
    assert (refused.status, refused.error["code"]) == (400, "0x8004e023")
    assert refused.error["message"] == "AggregateQueryRecordLimit exceeded. Cannot perform this operation."


@pytest.mark.parametrize(
    "apply",
    ["aggregate($count as n)", "filter(statuscode eq 6)/groupby((subject),aggregate($count as n))"]
    + [f"filter(statuscode eq 6)/groupby((_sendermailboxid_value),aggregate({each}))" for each in ("subject with min as n", "$count", "n")],
)
async def test_other_aggregations(apply: str) -> None:
    """Any other question about mails is 400."""
    organization, _ = _organization(1)
    organization.pending = {None: WaitingMail(1, organization.clock(), organization.clock())}
    assert (await _get(organization, f"emails{query(apply=apply)}")).status == 400
    assert (await _get(organization, "emails?$select=subject")).status == 400


async def test_the_one_change() -> None:
    """A mailbox is put down for Test & Enable by PATCH: 204, its id in a header, and the record of the write."""
    organization, _ = _organization(1)
    (mailbox,) = organization.mailboxes
    before = organization.mailboxes[mailbox]["versionnumber"]
    async with server(organization) as site:
        answer = await asked(site, lambda caller: caller.call("PATCH", f"{ROOT}/mailboxes({mailbox})", PATCH, SCHEDULED))
        assert answer.headers["OData-EntityId"] == f"http://127.0.0.1:{site.port}{ROOT}/mailboxes({mailbox})"
    assert (answer.status, answer.body) == (204, b"")
    (write,) = organization.writes
    assert (write.identifier, write.changes, write.if_match, write.status, write.user) == (mailbox, SCHEDULED, "*", 204, READER.name)
    assert organization.mailboxes[mailbox]["testemailconfigurationscheduled"] is True
    assert organization.mailboxes[mailbox]["versionnumber"] > before
    assert list(organization.waiting()) == [mailbox]
    assert organization.scheduled.is_set()


async def test_changes_that_are_refused() -> None:
    """What cannot be changed is refused, and stands in the record of writes with what it was answered with."""
    organization, profile = _organization(1)
    (mailbox,) = organization.mailboxes
    absent = "00000000-0000-0000-0000-000000000001"
    async with server(organization) as site:

        def questions(caller: Caller) -> list[int]:
            path = f"{ROOT}/mailboxes({mailbox})"
            tries = [
                caller.call("PATCH", f"{ROOT}/mailboxes({absent})", PATCH, SCHEDULED),
                caller.call("PATCH", path, {"If-Match": 'W/"1"'}, SCHEDULED),
                caller.call("PATCH", path, PATCH, {"nothing": True}),
                caller.call("PATCH", path, PATCH, {"testemailconfigurationscheduled": "yes"}),
                caller.call("PATCH", path, PATCH, [True]),
                caller.call("PATCH", path, {**PATCH, "Content-Type": "text/plain"}, SCHEDULED),
                caller.call("PATCH", f"{ROOT}/emailserverprofiles({profile})", PATCH, {"name": "x"}),
            ]
            assert [each.error["code"] for each in tries[:2]] == ["0x80040217", "0x80060882"]
            others = [caller.call(method, path) for method in ("DELETE", "PUT")]
            others.append(caller.call("POST", f"{ROOT}/mailboxes", None, {"name": "x"}))
            return [each.status for each in (*tries, *others)]

        assert await asked(site, questions) == [404, 412, 400, 400, 400, 415, 405, 405, 405, 405]
        assert [each.method for each in site.changes_asked] == ["PATCH"] * 7 + ["DELETE", "PUT", "POST"]
    assert [write.status for write in organization.writes] == [404, 412, 400, 400, 400, 415, 405]
    assert list(organization.waiting()) == []


async def test_a_change_of_what_cannot_be_changed() -> None:
    """An attribute that is not for clients to set is passed over in silence."""
    organization, _ = _organization(1)
    (mailbox,) = organization.mailboxes
    async with server(organization) as site:
        answer = await asked(site, lambda caller: caller.call("PATCH", f"{ROOT}/mailboxes({mailbox})", PATCH, {"mailboxstatus": 1}))
    assert answer.status == 204
    assert "mailboxstatus" not in organization.mailboxes[mailbox]


async def test_missing_privileges() -> None:
    """What a user has no privilege for is 403, with the privilege's name in the words."""
    organization, _ = _organization(1)
    (mailbox,) = organization.mailboxes
    async with server(organization) as site:

        def questions(caller: Caller) -> list[Answer]:
            return [
                caller.get("mailboxes?$select=name"),
                caller.call("PATCH", f"{ROOT}/mailboxes({mailbox})", PATCH, SCHEDULED),
                caller.get(f"emails{query(apply='x')}"),
                caller.get("EntityDefinitions(LogicalName='mailbox')/Attributes"),
                caller.get("emailserverprofiles?$select=name"),
            ]

        *refused, profiles = await asked(site, questions, user=LIMITED)
    assert [each.status for each in refused] == [403] * 4
    assert profiles.status == 200
    for answer, privilege in zip(refused, ("prvReadMailbox", "prvWriteMailbox", "prvReadActivity", "prvReadEntity"), strict=True):
        assert answer.error["code"] == "0x80040220"
        assert answer.error["message"].startswith(f"Principal user (Id={LIMITED.id}, type=8) is missing {privilege} privilege (Id=")
    assert organization.writes[0].status == 403


async def test_what_is_not_there() -> None:
    """A set, a record or a path that is not there is 404."""
    organization, _ = _organization(1)
    absent = "mailboxes(00000000-0000-0000-0000-000000000001)"
    async with server(organization) as site:

        def questions(caller: Caller) -> list[int]:
            paths = ("accounts", absent, "/Contoso/main.aspx", "/Fabrikam/api/data/v9.1/WhoAmI", "/Contoso/api/data/latest/WhoAmI")
            return [caller.get(each).status for each in paths]

        assert await asked(site, questions) == [404] * 5

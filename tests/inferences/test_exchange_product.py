"""Which Exchange answers at an EWS endpoint."""

from __future__ import annotations

import pytest

from probe.inferences.exchange_product import INFERENCE
from probe.model import vocabulary as v
from probe.model.inferences import Unsettled
from probe.model.kinds import Build, Challenge
from tests.inferences.known import Known, concluded, disputed, settled


def _ews(
    build: str | None = None, host: str = "mail.contoso.test", headers: tuple[str, ...] = (), marks: tuple[str, ...] | None = None
) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: "ews", v.ENDPOINT_HOST: host, v.EWS_HEADERS: headers, v.HTTP_SERVER: "Microsoft-IIS/10.0"}
    if build is not None:
        known[v.SERVER_BUILD] = Build.parse(build)
    if marks is not None:
        known[v.EWS_MARKS] = marks
    return known


def _bearer(client: str, issuers: str) -> Challenge:
    return Challenge("Bearer", None, (("client_id", client), ("trusted_issuers", issuers)))


@pytest.mark.parametrize(
    ("known", "product"),
    [
        (_ews("8.3.485.1"), "Exchange Server 2007"),
        (_ews("14.3.169.1"), "Exchange Server 2010"),
        (_ews("15.0.1497.48"), "Exchange Server 2013"),
        (_ews("15.1.2507.57"), "Exchange Server 2016"),
        (_ews("15.2.1748.39"), "Exchange Server 2019"),
        (_ews("15.2.858"), "Exchange Server 2019"),
        (_ews("15.2.2562.17"), "Exchange Server SE"),
        (_ews("15.2.2562"), "Exchange Server SE"),
        (_ews("15.2.2900.3"), "Exchange Server SE"),
        (_ews("15.20.9073.22", marks=("soap",)), "Exchange Online"),
        (_ews("15.20.9073.22", headers=("X-BeSku: WCS7",)), "Exchange Online"),
        (_ews(None, "outlook.office365.com"), "Exchange Online"),
        (_ews("15.1.1240.3", "eur01.outlook.com"), "Exchange Online"),
        (_ews("15.0.847.32", "outlook.office365.com"), "Exchange Online"),
        (_ews(None, "outlook.office365.us"), "Exchange Online"),
        (_ews(None, "partner.outlook.cn"), "Exchange Online"),
        (_ews(headers=("X-NanoProxy: 1",)), "Exchange Online"),
        (_ews(headers=("X-FEServer: A", "x-calculatedbetarget: SG2PR03MB1234.apcprd03.PROD.OUTLOOK.COM")), "Exchange Online"),
        (_ews(headers=("X-CalculatedFETarget: FR3P281CU004.internal.outlook.com",)), "Exchange Online"),
        ({**_ews(), v.EWS_POLICY_BLOCK: "disabled"}, "Exchange Online"),
        (
            {**_ews(), v.EWS_CHALLENGES: (_bearer("00000002-0000-0ff1-ce00-000000000000", "00000001-0000-0000-c000-000000000000@*"),)},
            "Exchange Online",
        ),
        (
            {**_ews(), v.EWS_CHALLENGES: (_bearer("00000002-0000-0ff1-ce00-000000000000", "00000001-0002-0000-c000-000000000000@"),)},
            "Exchange Online",
        ),
        (_ews("15.1.154.9", headers=("X-FEProxyInfo: AM3PR04CA0001.EURPRD04.PROD.OUTLOOK.COM",)), "Exchange Online"),
        (_ews(headers=("X-FEServer: MAIL01",), marks=("header",)), "Exchange"),
        (_ews(headers=("X-CalculatedBETarget: mail02.contoso.test",), marks=("header", "owa-page")), "Exchange"),
    ],
)
def test_build_host_and_headers_tell_the_product(known: Known, product: str) -> None:
    """The host decides before the number, the number before the headers, and marks alone tell only that it is Exchange."""
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product
    assert settled(INFERENCE, v.SERVER_VENDOR, known) == "Microsoft"


def test_the_version_is_the_build_as_shown() -> None:
    """Four numbers or three, as many as were shown; none where none were."""
    assert settled(INFERENCE, v.SERVER_VERSION, _ews("15.1.2507.57")) == "15.1.2507.57"
    assert settled(INFERENCE, v.SERVER_VERSION, _ews("15.1.2507")) == "15.1.2507"
    assert settled(INFERENCE, v.SERVER_VERSION, _ews(marks=("header",))) is None


_MSRPC = (Challenge("Basic", None, (("realm", "msrpc realm"), ("charset", "utf-8"))),)


@pytest.mark.parametrize(
    ("known", "doubt"),
    [
        (_ews("15.0.847.4040", marks=("header",)), "15.0.847.4040"),
        (_ews("15.1.2345.6789", marks=("header",)), "15.1.2345.6789"),
        (_ews("15.1.1240.3"), "no released Exchange Server"),
        (_ews("99.1.1.1"), "99.1"),
        (_ews("15.2.1748.39", headers=("X-NanoProxy: 1",)), "Exchange Server 2019"),
        (_ews(marks=()), "nothing in its answers"),
        (_ews(), "no answer"),
        ({**_ews("15.1.2507.57"), v.ENDPOINT_SERVICE: "pop3"}, "not an EWS endpoint"),
        ({**_ews("15.1.2507.57", marks=("header",)), v.HTTP_SERVER: "nginx"}, "nothing else at the endpoint"),
        ({**_ews("15.2.1544.4", marks=("header", "owa-page")), v.HTTP_SERVER: "Werkzeug/2.0.1 Python/3.8"}, "werkzeug"),
        ({**_ews(marks=()), v.ACTIVESYNC_VERSION: "14.1"}, "nothing in its answers"),
        # A front of malware's servers copies this challenge, with an application of its own.
        ({**_ews(marks=()), v.EWS_CHALLENGES: (_bearer("6731de76", "00000001-0000-0000-c000-000000000000@*"),)}, "nothing in its answers"),
        # Honeypots give one answer to everything; a log-on page of a proxy is answered like that too.
        ({**_ews("15.2.858.5", headers=("X-FEServer: EXCH01",), marks=("header",)), v.HTTP_STATUS: 200}, "HTTP 200 and no SOAP"),
        ({**_ews("15.1.1240.20", headers=("X-CalculatedBETarget: a.prod.outlook.com",)), v.HTTP_STATUS: 200}, "HTTP 200 and no SOAP"),
        (_ews("15.20.7595.16", headers=("X-FEServer: OUTLOOK-WEB-01", "X-CalculatedBETarget: exchange.internal")), "neither the host nor"),
        # Exchange 2016 runs on no Windows that has this IIS.
        ({**_ews("15.1.1466", marks=("owa-page",)), v.HTTP_SERVER: "Microsoft-IIS/7.5"}, "nothing else at the endpoint"),
        ({**_ews("14.0.722.0", marks=("soap",)), v.HTTP_SERVER: "nginx"}, "nothing else at the endpoint"),
    ],
)
def test_what_may_imitate_exchange_is_not_called_exchange(known: Known, doubt: str) -> None:
    """Where there is a doubt nothing is concluded, and the doubt is told."""
    said = concluded(INFERENCE, known)
    assert isinstance(said[v.SERVER_PRODUCT], Unsettled)
    assert doubt in said[v.SERVER_PRODUCT].because


@pytest.mark.parametrize("build", ["15.1.2507.57", "15.2.1748.39", "15.2.2562.17", "14.3.123.4", "8.3.485.1", "15.1.2507"])
@pytest.mark.parametrize("server", ["nginx", "Apache", "Microsoft-IIS/6.0", None])
def test_a_released_build_in_soap_alone_is_some_exchange_in_doubt(build: str, server: str | None) -> None:
    """Behind a proxy that strips headers, SOAP to who is signed in shows a released build: it is Exchange, and the doubt and its remedy are told."""
    known = {key: value for key, value in _ews(build, marks=("soap",)).items() if key is not v.HTTP_SERVER}
    if server is not None:
        known |= {v.HTTP_SERVER: server, v.AUTH_SCHEMES: ("Basic",), v.HTTP_STATUS: 401}
    said = concluded(INFERENCE, known)
    if server == "Microsoft-IIS/6.0" and build == "8.3.485.1":
        assert said[v.SERVER_PRODUCT] == "Exchange Server 2007"
        return
    assert said[v.SERVER_PRODUCT] == "Exchange"
    assert isinstance(said[v.SERVER_VERSION], Unsettled)
    assert f"build {build} was shown only in SOAP" in said[v.SERVER_VERSION].because
    assert "To settle it" in said[v.SERVER_VERSION].because
    assert not said[v.SERVER_VERSION].conflicts


@pytest.mark.parametrize(
    ("build", "more"),
    [
        ("15.2.2900.3", {}),
        ("14.0.722.0", {}),
        ("15.1.2507.57", {v.EWS_MARKS: ("header",)}),
        ("15.1.2507.57", {v.HTTP_SERVER: "Kerio Connect 10.0.2"}),
        ("15.1.2507.57", {v.EWS_CHALLENGES: _MSRPC}),
        ("15.1.2507.57", {v.EWS_MARKS: ("header",), v.HTTP_STATUS: 200}),
    ],
)
def test_soap_alone_does_not_make_an_exchange_of_what_is_doubted_otherwise(build: str, more: Known) -> None:
    """A build of no release that is known, another program's name, or a build that only a header shows, stays no Exchange."""
    known = {**_ews(build, marks=("soap",)), v.HTTP_SERVER: "nginx", **more}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) in (None, "Kerio Connect", "grommunio")


@pytest.mark.parametrize(
    ("known", "product"),
    [
        ({**_ews("15.0.847.32"), v.EWS_CHALLENGES: _MSRPC}, "grommunio"),
        ({**_ews(marks=("header",)), v.EWS_CHALLENGES: _MSRPC}, "grommunio"),
        ({**_ews("14.3.123.4", marks=("soap",)), v.HTTP_SERVER: "Kerio Connect 10.0.2"}, "Kerio Connect"),
        ({**_ews(marks=()), v.HTTP_SERVER: "Zimbra"}, "Zimbra Collaboration"),
        ({**_ews("14.0.722.0", marks=("soap",)), v.HTTP_SERVER: "SOGo/5.8"}, "SOGo"),
        # SharePoint Online stands behind the same front ends as Exchange Online.
        (_ews(headers=("X-NanoProxy: 1", "SPRequestGuid: 80a3a91e-311c-42c2-91f3-57749cb1b32c")), "SharePoint"),
        (_ews("15.1.2507.57", headers=("X-FEServer: SPO", "MicrosoftSharePointTeamServices: 16.0.0.1"), marks=("header",)), "SharePoint"),
    ],
)
def test_what_is_known_not_to_be_exchange_has_its_own_name(known: Known, product: str) -> None:
    """Other groupware is called what it is, whatever number it imitates; of that number nothing is concluded."""
    said = concluded(INFERENCE, known)
    assert said[v.SERVER_PRODUCT] == product
    assert all(isinstance(said[key], Unsettled) for key in (v.SERVER_VENDOR, v.SERVER_PRODUCTS, v.SERVER_VERSION))


@pytest.mark.parametrize(
    ("builds", "product"),
    [
        (("15.1.2507.57", "15.2.1118.40"), "Exchange"),
        (("15.1.2507.57", "15.20.9073.22"), "Exchange"),
        (("15.1.2507.57", "15.1.2375.7"), "Exchange Server 2016"),
    ],
)
def test_of_different_builds_counts_what_they_agree_on(builds: tuple[str, ...], product: str) -> None:
    """Two servers behind one name are the product that both are, else some Exchange; which version is not told, and why."""
    said = concluded(INFERENCE, {**_ews(marks=("header", "owa-page")), v.SERVER_BUILD: disputed(*map(Build.parse, builds))})
    assert said[v.SERVER_PRODUCT] == product
    assert isinstance(said[v.SERVER_VERSION], Unsettled)
    assert said[v.SERVER_VERSION].because == f"different builds were shown: {', '.join(builds)}"


@pytest.mark.parametrize(
    ("builds", "products"),
    [
        (("15.1.2507.57",), ("Exchange Server 2016",)),
        (("15.1.2507.57", "15.2.1118.40"), ("Exchange Server 2016", "Exchange Server 2019")),
        (("15.1.2507.57", "15.1.2375.7"), ("Exchange Server 2016",)),
        ((), None),
    ],
)
def test_every_product_whose_build_is_shown_is_told(builds: tuple[str, ...], products: tuple[str, ...] | None) -> None:
    """Each once; where no build shows there is none to tell."""
    known = _ews(marks=("header", "owa-page"))
    if builds:
        known[v.SERVER_BUILD] = disputed(*map(Build.parse, builds))
    assert settled(INFERENCE, v.SERVER_PRODUCTS, known) == products


@pytest.mark.parametrize(
    ("builds", "headers", "doubt"),
    [
        (("15.1.2507.57", "15.0.847.4040"), (), "15.0.847.4040"),
        (("15.1.2507.57", "15.2.1118.40"), ("X-NanoProxy: 1",), "headers are those of Exchange Online"),
    ],
)
def test_of_different_builds_one_that_is_doubted_spoils_all(builds: tuple[str, ...], headers: tuple[str, ...], doubt: str) -> None:
    """Where one of the builds is not one of Exchange, or headers contradict it, nothing is concluded."""
    said = concluded(INFERENCE, {**_ews(headers=headers, marks=("header",)), v.SERVER_BUILD: disputed(*map(Build.parse, builds))})
    assert isinstance(said[v.SERVER_PRODUCT], Unsettled)
    assert doubt in said[v.SERVER_PRODUCT].because


def test_parts_of_one_update_differ_in_the_fourth_number_alone() -> None:
    """What EWS says to the signed in may be a component's build; what the builds share is the version."""
    known = {**_ews(marks=("header", "soap")), v.SERVER_BUILD: disputed(Build.parse("15.1.2507.57"), Build.parse("15.1.2507.55"))}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == "Exchange Server 2016"
    assert settled(INFERENCE, v.SERVER_VERSION, known) == "15.1.2507"


@pytest.mark.parametrize("proxy", ["Microsoft-IIS/7.5", "Microsoft-IIS/8.5"])
def test_an_older_windows_in_front_takes_nothing_from_what_exchange_shows(proxy: str) -> None:
    """A proxy on an older Windows writes its own name; the front end's name behind it bears the build out."""
    known = {**_ews("15.2.1748.39", headers=("X-FEServer: EX01",), marks=("header",)), v.HTTP_SERVER: proxy}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == "Exchange Server 2019"


@pytest.mark.parametrize("issuers", ["00000001-0000-0000-c000-000000000000@*", "https://adfs.contoso.test/adfs/services/trust@"])
def test_who_offers_windows_schemes_or_trusts_its_own_issuer_is_not_online(issuers: str) -> None:
    """Exchange Online offers neither NTLM nor Negotiate, and an AD FS is one organization's own, however the challenge for tokens reads."""
    challenges = (Challenge("NTLM"), _bearer("00000002-0000-0ff1-ce00-000000000000", issuers))
    known = {**_ews("15.2.2562.35", headers=("X-FEServer: EX01",), marks=("header",)), v.EWS_CHALLENGES: challenges}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == "Exchange Server SE"
    alone = {**_ews(headers=("X-FEServer: EX01",), marks=("header",)), v.EWS_CHALLENGES: challenges[1:]}
    assert settled(INFERENCE, v.SERVER_PRODUCT, alone) == ("Exchange Online" if issuers.endswith("@*") else "Exchange")


def test_exchange_gives_way_to_one_of_its_products() -> None:
    """Told both that it is Exchange and which, the product is which; two different ones conflict."""
    reconcile = v.SERVER_PRODUCT.reconcile
    assert reconcile("Exchange", "Exchange Server 2016") == "Exchange Server 2016"
    assert reconcile("Exchange Online", "Exchange") == "Exchange Online"
    assert reconcile("Exchange", "Exchange") == "Exchange"
    assert reconcile("Exchange Online", "Exchange Server 2016") is None
    assert reconcile("Exchange", "Exim") is None


@pytest.mark.parametrize(
    "known",
    [
        {v.AUTH_SCHEMES: ("Negotiate", "NTLM")},
        {v.EWS_HEADERS: ("X-FEServer: EX01",)},
        {v.EWS_MARKS: ("header", "export-tool")},
        {v.EWS_BEARER_CHALLENGES: (Challenge("Bearer", None, (("client_id", "00000002-0000-0ff1-ce00-000000000000"),)),)},
    ],
)
def test_behind_a_proxy_something_else_bears_the_build_out(known: Known) -> None:
    """A proxy's name hides IIS; Windows' schemes, a front end's name, a manifest or Exchange's application id stand for it."""
    behind = {**_ews("15.2.1748.39", marks=("header",)), v.HTTP_SERVER: "nginx/1.22.1", **known}
    assert settled(INFERENCE, v.SERVER_PRODUCT, behind) == "Exchange Server 2019"


@pytest.mark.parametrize(
    ("said", "product"),
    [
        ("6.5.7638.1", "Exchange Server 2003"),
        ("14.3", "Exchange Server 2010"),
        ("15.1", "Exchange Server 2016"),
        ("15.2", "Exchange"),
        ("16.1", "Exchange"),
    ],
)
def test_activesync_tells_which_exchange_it_is(said: str, product: str) -> None:
    """Where Exchange shows itself and no build, ActiveSync's number tells the product as far as it is one product's alone."""
    known = {**_ews(headers=("X-FEServer: MAIL01",), marks=("header",)), v.ACTIVESYNC_VERSION: said}
    assert settled(INFERENCE, v.SERVER_PRODUCT, known) == product

"""From TOML to an estate."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probe.config import EstateError, Problem, load_estate, read_estate
from probe.config.reading import MOST_ESTATE_BYTES
from probe.model.estate import (
    Authentication,
    BoundOrganization,
    Cloud,
    Credentials,
    Delivery,
    DeploymentKind,
    DynamicsAccess,
    Effect,
    Endpoint,
    HistoryLimits,
    Location,
    OrganizationUrl,
    SecretReference,
    ServerType,
    SignInSettings,
)
from tests.config.estates import DEPLOYMENT, DYNAMICS, ESTATE, MAILBOX, PROFILE, profile

EWS = "https://mail.contoso.test/EWS/Exchange.asmx"


def messages(text: str) -> list[str]:
    """What is said of a text; nothing where it loads."""
    try:
        read_estate(text, "estate.toml")
    except EstateError as refused:
        return [str(problem) for problem in refused.problems]
    return []


def test_a_small_estate_is_read_as_written() -> None:
    """What the file says stands in the estate, and what it leaves out has its default."""
    estate = read_estate(ESTATE, "estate.toml")
    assert estate.deployment.kind is DeploymentKind.ON_PREMISES
    assert (estate.deployment.version, estate.deployment.runs_on) == ("9.1", "windows-server-2019")
    assert estate.deployment.allow == frozenset()
    assert estate.deployment.authorities == ()
    assert estate.deployment.cloud is Cloud.WORLDWIDE
    (corp,) = estate.profiles
    assert corp.server_type is ServerType.EXCHANGE_SERVER
    assert corp.incoming == corp.outgoing == Endpoint.parse(EWS)
    assert corp.authentication is Authentication.AUTO
    assert corp.credentials is Credentials.PROFILE
    assert (corp.autodiscover, corp.impersonation, corp.fips_validated) == (False, False, None)
    assert corp.password is not None
    assert (corp.password.kind, corp.password.locator) == ("env", "CRM_EWS_PASSWORD")
    (sales,) = estate.mailboxes
    assert estate.profile_of(sales) is corp
    assert sales.incoming is sales.outgoing is sales.appointments is Delivery.SERVER_SIDE
    assert (sales.username, sales.password, sales.location, sales.mfa) == (None, None, None, None)


def test_optional_keys_are_read() -> None:
    """Every optional key of the three tables reaches the estate."""
    deployment = (
        DEPLOYMENT + 'allow = ["logs-in", "provokes", "sends-mail"]\nauthorities = ["ADFS.contoso.test", "[::1]:8443"]\ncloud = "us-dod"\n'
    )
    corp = PROFILE + 'autodiscover = true\nauthentication = "ntlm"\nimpersonation = true\nfips_validated = "CMVP #4282"\n'
    corp += (
        'outgoing_authentication = "basic"\noutgoing_credentials = "mailbox"\noutgoing_impersonation = false\noutgoing_username = "out"\n'
    )
    corp += 'outgoing_password = "env:OUT_PASSWORD"\noutgoing_fips_validated = "CMVP #1"\n'
    sales = MAILBOX + 'username = "s"\npassword = "keyring:probe/sales"\nlocation = "exchange-online"\nmfa = true\n'
    estate = read_estate(deployment + corp + sales, "estate.toml")
    assert estate.deployment.allow == {Effect.LOGS_IN, Effect.PROVOKES, Effect.SENDS_MAIL}
    assert estate.deployment.authorities == ("adfs.contoso.test", "[::1]:8443")
    assert estate.deployment.cloud is Cloud.US_DOD
    assert (estate.profiles[0].autodiscover, estate.profiles[0].impersonation) == (True, True)
    assert estate.profiles[0].authentication is Authentication.NTLM
    assert estate.profiles[0].fips_validated == "CMVP #4282"
    assert estate.profiles[0].outgoing_fips_validated == "CMVP #1"
    assert estate.profiles[0].outgoing_settings == SignInSettings(
        authentication=Authentication.BASIC,
        credentials=Credentials.MAILBOX,
        impersonation=False,
        username="out",
        password=SecretReference("env", "OUT_PASSWORD"),
        application_secret=None,
    )
    assert estate.mailboxes[0].username == "s"
    assert estate.mailboxes[0].location is Location.EXCHANGE_ONLINE
    assert estate.mailboxes[0].mfa is True


def test_an_estate_need_not_name_dynamics() -> None:
    """Without the table there is no access to Dynamics; with its one required key, the account that runs this program signs in by Kerberos."""
    assert read_estate(ESTATE, "estate.toml").dynamics is None
    assert read_estate(ESTATE + DYNAMICS, "estate.toml").dynamics == DynamicsAccess(
        url=OrganizationUrl.parse("https://crm.contoso.test/Contoso"), authentication=Authentication.NEGOTIATE
    )


def test_every_key_of_dynamics_is_read() -> None:
    """What the table says stands in the estate, the organization and the token endpoint in one form."""
    text = DYNAMICS + (
        'authentication = "oauth"\nusername = "svc-probe@contoso.test"\npassword = "env:CRM_PASSWORD"\n'
        'token_url = "https://ADFS.contoso.test:443/adfs/oauth2/token"\nclient_id = "probe"\nca = "/etc/ssl/contoso.pem"\n'
        'organization = "5D1B0F8C-3C55-4D0F-9A57-0B9D7C3F2A11 Contoso"\nplain_http = true\nenable_from_page = true\n'
    )
    access = read_estate(DEPLOYMENT + 'authorities = ["adfs.contoso.test"]\n' + text + PROFILE + MAILBOX, "estate.toml").dynamics
    assert access is not None
    assert access == DynamicsAccess(
        url=OrganizationUrl.parse("https://crm.contoso.test/Contoso"),
        authentication=Authentication.OAUTH,
        username="svc-probe@contoso.test",
        password=SecretReference.parse("env:CRM_PASSWORD"),
        token_url="https://adfs.contoso.test/adfs/oauth2/token",
        client_id="probe",
        organization=BoundOrganization("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", "Contoso"),
        ca="/etc/ssl/contoso.pem",
        plain_http=True,
        enable_from_page=True,
    )


def test_dynamics_in_clear_is_the_operators_choice() -> None:
    """An address in clear is read where `plain_http` allows it."""
    text = ESTATE + DYNAMICS.replace("https:", "http:") + "plain_http = true\n"
    access = read_estate(text, "estate.toml").dynamics
    assert access is not None
    assert access.url.is_plain


def test_the_history_has_its_limits() -> None:
    """The limits are those that the estate names; of one that names none, two years and 2 GB."""
    assert read_estate(ESTATE, "estate.toml").history == HistoryLimits(keep=730, max_size=2 * 10**9)
    text = '[history]\nkeep = "26w"\nmax_size = "500 MB"\n'
    assert read_estate(ESTATE + text, "estate.toml").history == HistoryLimits(keep=182, max_size=500 * 10**6)


def test_incoming_mail_may_be_forwarded() -> None:
    """`forward` is a way for incoming mail."""
    estate = read_estate(ESTATE.replace('incoming = "server-side"', 'incoming = "forward"'), "estate.toml")
    assert estate.mailboxes[0].incoming is Delivery.FORWARD


@pytest.mark.parametrize("release", ["2012-r2", "2016", "2019", "2022", "2025"])
def test_each_windows_is_known(release: str) -> None:
    """`runs_on` names any of the Windows releases that the example names."""
    text = ESTATE.replace("windows-server-2019", f"windows-server-{release}")
    assert read_estate(text, "estate.toml").deployment.runs_on == f"windows-server-{release}"


@pytest.mark.parametrize(
    ("server_type", "incoming", "outgoing"),
    [
        ("exchange-server", EWS, "smtp://mail.contoso.test"),
        ("exchange-server", "pop3s://mail.contoso.test", EWS),
        ("exchange-online", "imaps://mail.contoso.test", "smtps://mail.contoso.test"),
        ("pop3-smtp", "pop3://mail.contoso.test", "smtp://mail.contoso.test:25"),
        ("pop3-smtp", EWS, "smtp://mail.contoso.test"),
        ("pop3-smtp", EWS, None),
        ("imap-smtp", "imap://[2001:db8::1]", "smtps://[2001:db8::1]"),
        ("exchange-server-hybrid", "HTTPS://Mail.Contoso.Test", None),
    ],
)
def test_any_mix_of_transports_is_an_estate(server_type: str, incoming: str, outgoing: str | None) -> None:
    """Transports that do not suit each other or the server type are read, since a rule judges them."""
    (corp,) = read_estate(profile(server_type, incoming, outgoing), "estate.toml").profiles
    assert corp.incoming == Endpoint.parse(incoming)
    assert corp.outgoing == Endpoint.parse(incoming if outgoing is None else outgoing)


@pytest.mark.parametrize("incoming", ["pop3://mail.contoso.test", "imaps://mail.contoso.test"])
@pytest.mark.parametrize("server_type", ["exchange-server", "pop3-smtp", "imap-smtp"])
def test_outgoing_must_be_named_where_incoming_cannot_send(server_type: str, incoming: str) -> None:
    """POP3 and IMAP do not send, so outgoing may not be left out."""
    (message,) = messages(profile(server_type, incoming))
    assert 'profile[0].outgoing (profile "corp"): is missing' in message


def test_a_profile_may_lack_an_account() -> None:
    """Credentials of the profile without user name and password are no mistake: probe then cannot sign in."""
    text = ESTATE.replace('username = "svc-crm@contoso.test"\npassword = "env:CRM_EWS_PASSWORD"\n', "")
    assert read_estate(text, "estate.toml").profiles[0].username is None


def test_a_mailbox_may_have_a_password_without_a_user_name() -> None:
    """A mailbox's user name need not be written, since its address stands for it."""
    assert messages(ESTATE + 'password = "env:SALES"\n') == []


def test_dotted_keys_inline_tables_and_quoted_keys_are_toml_too() -> None:
    """The shape of the TOML does not matter, and a mistake in any shape is found on its line."""
    dotted = "\n".join(f"deployment.{line}" for line in DEPLOYMENT.strip().splitlines()[1:])
    mailbox = 'mailbox = [\n  # one\n  { "address" = "a@contoso.test", profile = "corp", incoming = "none", outgoing = "none",\n appointments = "none" },\n]\n'
    text = f"{dotted}\n{mailbox.replace(chr(10) + ' app', ' app')}{PROFILE}"
    assert messages(text) == []
    (message,) = messages(text.replace('appointments = "none"', 'appointments = "never"'))
    assert message.startswith('estate.toml:12: mailbox[0].appointments (mailbox "a@contoso.test"): must be')


def test_a_table_below_the_last_profile_is_found_there() -> None:
    """A heading below `[[profile]]` belongs to the profile above it, and its mistake stands on its line."""
    second = PROFILE.replace("corp", "branch")
    (message,) = messages(DEPLOYMENT + PROFILE + second + '\n[profile.limits]\n"a b" = 1\n' + MAILBOX)
    assert message.startswith('estate.toml:29: profile[1].limits (profile "branch"): is not known here')


def test_an_odd_key_is_shown_safely() -> None:
    """A key that is no plain word is shown in quotes, on one line and cut short."""
    (message,) = messages(ESTATE + f'"two\\nlines{"x" * 500}" = 1\n')
    assert 'mailbox[0]."two\\nlines' in message
    assert len(message) < 400


def test_a_misspelt_reference_beside_an_unreadable_profile_name_is_not_held_against_the_mailbox() -> None:
    """A mailbox's profile is not called unknown while a profile's name cannot be read."""
    (message,) = messages(ESTATE.replace('name = "corp"', 'name = ""'))
    assert "profile[0].name" in message


def test_an_unknown_profile_is_told_however_many_there_are() -> None:
    """With more profiles than are compared, the message does without a suggestion."""
    many = "".join(PROFILE.replace("corp", f"corp{i}") for i in range(201))
    (message,) = messages(DEPLOYMENT + many + MAILBOX)
    assert message.endswith("names no profile of this estate; add its [[profile]], or name an existing one")


@pytest.mark.parametrize("address", ["sales@example", "o'hara+crm@contoso.test", "büro@münchen.test"])
def test_unusual_addresses_are_addresses(address: str) -> None:
    """An address needs an @ between a name and a host, and no more."""
    assert messages(ESTATE.replace("sales@contoso.test", address)) == []


@pytest.mark.parametrize("version", ["9.0", "9.1", "9.0.2.3034", "9.1.18", "9.1.18.22", "9.1.0000.0006"])
def test_a_version_is_9_0_or_9_1_or_a_build_of_them(version: str) -> None:
    """A version of the edition that Microsoft's page is of may be given as exactly as it is known."""
    assert messages(ESTATE.replace('"9.1"', f'"{version}"')) == []


@pytest.mark.parametrize("version", ["9", "9.2", "9.10", "8.2.3.8", "v9.1", "9.1 ", "9.1.", "19.1", "९.१"])
def test_another_version_is_refused(version: str) -> None:
    """The page of this edition does not speak of another version, and a text that is nearly one is none."""
    (message,) = messages(ESTATE.replace('"9.1"', f'"{version}"'))
    assert 'must be "9.0", "9.1" or a build of them' in message


@pytest.mark.parametrize("number", ["CMVP #4", "CMVP #4282", "CMVP #42820"])
def test_a_validation_is_named_by_the_number_of_its_certificate(number: str) -> None:
    """`CMVP #` and 1 to 5 digits are kept as written."""
    text = ESTATE.replace("[[mailbox]]", f'fips_validated = "{number}"\n[[mailbox]]', 1)
    assert read_estate(text, "estate.toml").profiles[0].fips_validated == number


@pytest.mark.parametrize(
    "word", ["no", "none", "?", "", "CMVP", "CMVP #", "CMVP 4282", "CMVP#4282", "cmvp #4282", "CMVP #428200", "CMVP #४२", "CMVP #4282 "]
)
def test_a_word_that_names_no_certificate_is_refused(word: str) -> None:
    """No other word is the operator's word that a module is validated, least of all one that says no."""
    (message,) = messages(ESTATE.replace("[[mailbox]]", f'fips_validated = "{word}"\n[[mailbox]]', 1))
    assert "`CMVP #` and 1 to 5 digits" in message


def test_no_file_allows_changes() -> None:
    """What changes Dynamics is asked for each time."""
    text = ESTATE.replace("fips = false", 'fips = false\nallow = ["logs-in", "changes"]')
    (message,) = messages(text)
    assert 'leave out "changes"' in message


def test_carriage_returns_end_lines_too() -> None:
    """A file that Windows wrote is read, and its lines are counted the same."""
    assert messages(ESTATE.replace("\n", "\r\n")) == []
    (message,) = messages(ESTATE.replace("fips = false", "fips = 0").replace("\n", "\r\n"))
    assert message.startswith("estate.toml:7: ")


def test_two_thousand_mailboxes_load_at_once() -> None:
    """An estate of 2,000 mailboxes loads in under two seconds of CPU, and so does the list of its mistakes."""
    many = "".join(MAILBOX.replace("sales", f"user{i}") for i in range(2000))
    started = time.process_time()
    assert len(read_estate(DEPLOYMENT + PROFILE + many, "estate.toml").mailboxes) == 2000
    assert time.process_time() - started < 2
    started = time.process_time()
    assert len(messages(DEPLOYMENT + PROFILE + many.replace('profile = "corp"', 'profile = "crop"'))) == 2000
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 100_000, "estate.toml:1: is nested too deeply"),
        ("a = " + "{a = " * 5000, "estate.toml:1: is nested too deeply"),
        ("a" + ".a" * 100_000 + " = 1", "estate.toml:1: holds more than 1000 dots in a line"),
        ("\n\na = " + "9" * 5000, "estate.toml:3: is not TOML that can be read: a number is too long"),
        ("\ufeff" + ESTATE, "estate.toml:1: begins with a byte order mark"),
        ("[]", "estate.toml:1: is not TOML: "),
        ("a = 1\n\0", "estate.toml:2: is not TOML: "),
    ],
    ids=["arrays", "inline-tables", "dotted-key", "number", "byte-order-mark", "no-name", "nul"],
)
def test_hostile_toml_ends_in_one_message(text: str, said: str) -> None:
    """Whatever the text is, reading it ends, with a message."""
    (message,) = messages(text)
    assert message.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("".join(f"a{i}{'.a' * 900} = 1\n" for i in range(300)), "estate.toml:13: holds more dots up to this line"),
        (f"[a{'.a' * 900}]\n" + "".join(f"x{i} = 1\n" for i in range(100_000)), "estate.toml:2549: holds more dots up to this line"),
        ("".join(f"a{i} = 1\n" for i in range(900_000)), "estate.toml:750001: holds more keys and values"),
        ("a = [\n" + "1,\n" * 3_000_000 + "]", "estate.toml:999999: holds more keys and values"),
        ("[[mailbox]]\n" * 1_000_000, "estate.toml:300001: holds more keys and values"),
        ("\n" * 15_000_000, "estate.toml:1500001: holds more keys and values"),
        ("\na = " + "9" * 2_000_000, "estate.toml:2: holds more than 1024 KiB in a line"),
        (
            "# " + ("9" * 3999 + "\n# ") * 4000 + "\na = " + "9" * 5000,
            "estate.toml:4002: is not TOML that can be read: a number is too long",
        ),
        ("a = x\nb = " + "{a = " * 100_000, "estate.toml:1: is not TOML: "),
        ("a = x\nb = " + "[" * 100_000 + "]" * 100_000, "estate.toml:1: is not TOML: "),
        ("# [[[[\na = '[[[['\nb = [\n'['," + "\n[" * 5000, "estate.toml:104: is nested too deeply"),
        ('a = """\n' + "[" * 500 + '\n"""\n' + "b = " + "{c = " * 5000, "estate.toml:4: is nested too deeply"),
    ],
    ids=[
        "dots-in-keys",
        "dots-in-a-heading",
        "keys",
        "elements",
        "tables",
        "empty-lines",
        "long-number",
        "many-long-numbers",
        "tables-behind-a-mistake",
        "arrays-behind-a-mistake",
        "arrays-over-lines",
        "brackets-in-a-string",
    ],
)
def test_no_text_keeps_the_parsers_busy(text: str, said: str) -> None:
    """What would take them minutes is refused within seconds, with the line at which it became too much."""
    started = time.process_time()
    (message,) = messages(text)
    assert message.startswith(said)
    assert time.process_time() - started < 5


def test_ten_thousand_mailboxes_with_dots_in_every_value_are_an_estate() -> None:
    """The bounds are far from what an operator writes."""
    dotted = MAILBOX.replace("sales@", "s.a.l.{i}@") + 'username = "a.b.c.d.e.{i}"\npassword = "file:/run/s.e.c.r.e.t/{i}"\n'
    many = "".join(dotted.replace("{i}", str(i)) for i in range(10_000))
    assert len(read_estate(DEPLOYMENT + PROFILE + many, "estate.toml").mailboxes) == 10_000


@pytest.mark.parametrize("table", ["x{i} = 1\n", '[[mailbox]]\nprofile = "corp-number-{i}"\n'], ids=["unknown-keys", "unknown-profiles"])
def test_mistakes_beyond_number_are_counted(table: str) -> None:
    """Of tens of thousands of mistakes the first 20,000 of a kind are told, then how many more there are, within seconds."""
    profiles = "".join(PROFILE.replace("corp", f"corp-number-{i}-of-many") for i in range(199))
    text = DEPLOYMENT + profiles + "".join(table.replace("{i}", str(i)) for i in range(20_500))
    started = time.process_time()
    *told, last = messages(text)
    assert time.process_time() - started < 15
    assert len(told) >= 20_000
    assert re.fullmatch(r"estate\.toml: holds [0-9]+ more mistakes; mend these first", last)


def test_nesting_that_toml_allows_is_an_unknown_table() -> None:
    """Values nested 50 deep are unknown keys like any other."""
    (message,) = messages(ESTATE + "\n[x]\na = " + "[" * 50 + "]" * 50)
    assert "x: is not known here" in message


def _one_deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "profile", "address", "x"]), inner, max_size=3)


_plain_values = (
    st.booleans() | st.integers(-10, 10) | st.text(max_size=12) | st.sampled_from(["online", "tls://h:1", "@", "env:", "file:x", EWS])
)
# Two levels by hand: st.recursive warns, now and then, of an extension that it takes not to recurse.
_toml_values = _plain_values | _one_deeper(_plain_values | _one_deeper(_plain_values))


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_taken_or_refused_in_our_words(data: st.DataObject) -> None:
    """Whatever a key holds, the estate is read, or refused with messages that name a line and none of pydantic's words."""
    lines = ESTATE.strip().splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from([i for i, line in enumerate(lines) if " = " in line]))
        lines[at] = f"{lines[at].partition(' = ')[0]} = {toml(data.draw(_toml_values))}"
    for message in messages("\n".join(lines)):
        assert message.startswith("estate.toml:")
        assert not [word for word in ("Input should", "Value error", "Field required", "valid dictionary") if word in message]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["deployment", "profile", "mailbox", "x"]), _toml_values)
def test_any_value_for_a_whole_table_is_taken_or_refused(heading: str, value: Any) -> None:
    """What is not a table where a table belongs is refused with a message."""
    assert messages(f"{heading} = {toml(value)}\n")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(ESTATE)), st.integers(0, 30), st.text(alphabet="[]{}\"'=.,#\n \\uax0\t-:", max_size=6))
def test_a_torn_estate_never_ends_in_a_traceback(start: int, length: int, instead: str) -> None:
    """With any piece cut out and any other put in, the text is read or refused."""
    for message in messages(ESTATE[:start] + instead + ESTATE[start + length :]):
        assert message.startswith("estate.toml")


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="abcXYZ0189!/:@#%?= .", min_size=1, max_size=12).map(lambda rest: f"hunter2{rest}"),
    st.sampled_from(
        [
            ('password = "env:CRM_EWS_PASSWORD"', 'password = "{}"'),
            ('password = "env:CRM_EWS_PASSWORD"', 'password = "env:{}!"'),
            ('password = "env:CRM_EWS_PASSWORD"', 'password = ["{}"]'),
            ('password = "env:CRM_EWS_PASSWORD"', "password = {}$"),
            ('password = "env:CRM_EWS_PASSWORD"', 'secret = "{}"'),
            ('credentials = "profile"', 'credentials = "{}"'),
            (f'incoming = "{EWS}"', 'incoming = "https://svc:{}@mail.contoso.test/"'),
            (f'incoming = "{EWS}"', 'incoming = "svc:{}@mail.contoso.test"'),
        ]
    ),
)
@example("hunter20=0#", ('password = "env:CRM_EWS_PASSWORD"', "password = {}$"))
def test_a_secret_in_clear_is_refused_and_never_repeated(secret: str, place: tuple[str, str]) -> None:
    """Wherever a secret is written in clear, messages come, and none holds any part of it."""
    said = messages(ESTATE.replace(place[0], place[1].format(secret)))
    assert said
    assert not [message for message in said if "hunter2" in message]


def test_an_error_is_raised_without_the_values_in_its_causes() -> None:
    """An estate error carries no pydantic error along, which would hold every value of the file."""
    with pytest.raises(EstateError) as refused:
        read_estate(ESTATE.replace("env:CRM_EWS_PASSWORD", "hunter2"), "estate.toml")
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_problem_says_where_it_is() -> None:
    """A problem is written as file, line, key, its owner, and the message."""
    problem = Problem("estate.toml", 12, "profile[0].incoming", 'profile "corp"', "must be a URL")
    assert str(problem) == 'estate.toml:12: profile[0].incoming (profile "corp"): must be a URL'
    assert str(Problem("estate.toml", None, "", "", "cannot be read")) == "estate.toml: cannot be read"


def refusal(path: Path) -> str:
    """The one thing that is said of a file."""
    with pytest.raises(EstateError) as refused:
        load_estate(path)
    (problem,) = refused.value.problems
    return str(problem).removeprefix(str(path))


def test_a_file_is_read(tmp_path: Path) -> None:
    """An estate is read from a UTF-8 file."""
    path = tmp_path / "estate.toml"
    path.write_text(ESTATE, encoding="utf-8")
    assert load_estate(path) == read_estate(ESTATE, "estate.toml")


def test_what_cannot_be_read_as_a_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, a foreign encoding and a file beyond any estate each draw one message."""
    assert refusal(tmp_path / "none.toml") == ": cannot be read: no such file or directory"
    assert refusal(tmp_path).startswith(": cannot be read: ")
    path = tmp_path / "estate.toml"
    path.write_bytes(b"# one\n# caf\xe9\n")
    assert refusal(path) == ":2: is not UTF-8; save the file as UTF-8"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        path.write_text(ESTATE, encoding=encoding)
        assert refusal(path) == ":1: is not UTF-8 but perhaps UTF-16, which Windows PowerShell writes; save the file as UTF-8"
    path.write_text(ESTATE, encoding="utf-8-sig")
    assert refusal(path) == ":1: begins with a byte order mark; save the file as UTF-8 without one"
    with path.open("wb") as file:
        file.truncate(MOST_ESTATE_BYTES + 1)
    assert refusal(path) == ": is larger than 16 MiB, so it is not an estate"


def test_a_name_that_no_file_can_have_is_refused() -> None:
    """A path with a NUL in it draws a message, not a traceback."""
    assert refusal(Path("a\0b")) == r"a\x00b: cannot be read: its name is not valid"

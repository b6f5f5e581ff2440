"""The kinds of targets: every scheme of apprise's that is used, and how each is used. A scheme that is not in the table is refused.

What is in the table goes over verified TLS alone, by requests or smtplib, to a host that is fixed or that the estate names, and reads no file
and no setting of this machine. What its plugin of apprise 2.3 makes of a text was looked at on what arrives
(`tests/alerts/test_schemes.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from probe.alerts.quoting import Style
from probe.model.values import dataclass

THREAD = "{thread}"
LEAST = 1000
"""Characters of a body that every target takes, more or less; where a target's own bound is lower, it is the target's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How one kind of target is used."""

    what: str
    module: str
    """Of apprise, below `apprise.plugins`."""
    plugin: str
    style: Style
    most: int
    """Characters of a body."""
    options: frozenset[str] = frozenset()
    """Names that the query of its URL may hold."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Arguments of the plugin that are ours to choose; `THREAD` in one is replaced by what the events of one incident have in common."""
    passes_through: bool = False
    """Whether apprise takes the body as it is: a plugin that knows Markdown alone would escape plain text, and the link in it."""
    line_end: str = "\n"
    native: re.Pattern[str] | None = None
    """Host of the https URL that the product itself shows for such a target, which may stand in place of apprise's."""


def _scheme(what: str, module: str, plugin: str, style: Style, most: int, options: str = "", **more: object) -> Scheme:
    return Scheme(what=what, module=module, plugin=plugin, style=style, most=most, options=frozenset(options.split()), **more)  # type: ignore[arg-type]


_TEAMS = _scheme(
    "Microsoft Teams, by a workflow of Power Automate", "workflows", "NotifyWorkflows", Style.CHAT, 12_000,
    "id sig sp sv ver api-version pa powerautomate route routeid image wrap",
    passes_through=True,
    line_end="\n\n",  # in an Adaptive Card a single line end is a space
    native=re.compile(r"(?:[\w-]+\.)+(?:logic\.azure\.(?:com|us|cn)|powerplatform\.(?:com|us|cn))"),
)  # fmt: skip
_WEBHOOK = "method user pass password +* -* :*"
_WEBEX = _scheme("Webex", "webexteams", "NotifyWebexTeams", Style.CHAT, 4000, "to token mode", passes_through=True, line_end="\n\n")
_ON_CALL = _scheme(
    "Splunk On-Call (VictorOps)",
    "splunk",
    "NotifySplunk",
    Style.TEXT,
    4000,
    "apikey route routing_key",
    settings={"entity_id": THREAD, "action": "map"},
)

SCHEMES = MappingProxyType(
    {
        "mailtos": _scheme(
            "mail over TLS", "email.base", "NotifyEmail", Style.TEXT, 16_000, "from name to cc bcc reply smtp mode user pass password +*"
        ),
        "workflows": _TEAMS,
        "workflow": _TEAMS,
        "slack": _scheme(
            "Slack",
            "slack",
            "NotifySlack",
            Style.CHAT,
            12_000,
            "to token mode footer image timestamp",
            native=re.compile(r"hooks\.slack(?:-gov)?\.com"),
        ),
        "jsons": _scheme("a webhook over HTTPS, as JSON", "custom_json", "NotifyJSON", Style.TEXT, 16_000, _WEBHOOK),
        "xmls": _scheme("a webhook over HTTPS, as XML", "custom_xml", "NotifyXML", Style.TEXT, 16_000, _WEBHOOK),
        "forms": _scheme("a webhook over HTTPS, as a form", "custom_form", "NotifyForm", Style.TEXT, 16_000, _WEBHOOK),
        "mmosts": _scheme("Mattermost", "mattermost", "NotifyMattermost", Style.CHAT, 4000, "to channel channels botname mode team image"),
        "rockets": _scheme(
            "Rocket.Chat",
            "rocketchat",
            "NotifyRocketChat",
            Style.CHAT,
            LEAST,
            "to mode avatar webhook user pass password",
            passes_through=True,
        ),
        "gchat": _scheme(
            "Google Chat", "google_chat", "NotifyGoogleChat", Style.CHAT, 4000, "workspace key token thread", passes_through=True
        ),
        "webex": _WEBEX,
        "wxteams": _WEBEX,
        "zulip": _scheme("Zulip", "zulip", "NotifyZulip", Style.CHAT, 10_000, "to token"),
        "discord": _scheme(
            "Discord",
            "discord",
            "NotifyDiscord",
            Style.CHAT,
            2000,
            "avatar footer image thread tts",
            native=re.compile(r"discord(?:app)?\.com"),
        ),
        "ntfys": _scheme("ntfy", "ntfy", "NotifyNtfy", Style.TEXT, 4000, "to token auth mode priority image xtags user pass password"),
        "gotifys": _scheme("Gotify", "gotify", "NotifyGotify", Style.TEXT, 8000, "priority"),
        "pover": _scheme("Pushover", "pushover", "NotifyPushover", Style.TEXT, 1024, "to priority sound expire interval"),
        "opsgenie": _scheme(
            # What is over is an alert of its own: apprise closes an alert only by what it remembers of it, and sends nothing where it remembers nothing.
            "Opsgenie",
            "opsgenie",
            "NotifyOpsgenie",
            Style.TEXT,
            15_000,
            "to region priority tags entity",
            settings={"action": "new"},
        ),
        "pagerduty": _scheme(
            "PagerDuty",
            "pagerduty",
            "NotifyPagerDuty",
            Style.TEXT,
            1024,
            "region severity group class image",
            settings={"dedup": THREAD, "action": "map"},
        ),
        "splunk": _ON_CALL,
        "victorops": _ON_CALL,
        "signl4": _scheme(
            "SIGNL4",
            "signl4",
            "NotifySIGNL4",
            Style.TEXT,
            8000,
            "service location alerting_scenario filtering",
            settings={"external_id": THREAD, "action": "map"},
        ),
    }
)
"""By the scheme of the URL."""

_IN_CLEAR = {
    "mailto": "mailtos",
    "json": "jsons",
    "xml": "xmls",
    "form": "forms",
    "mmost": "mmosts",
    "rocket": "rockets",
    "ntfy": "ntfys",
    "gotify": "gotifys",
}
_NATIVE = re.compile(r"https://(?P<host>[^/?#@:\s]+)(?::443)?/", re.IGNORECASE)


class RefusedTarget(Exception):
    """A target that is not used; the message says why, and repeats nothing of its URL."""


def scheme_of(url: str) -> Scheme:
    """How the target with this URL is used. Raises RefusedTarget."""
    name, separator, _ = url.partition("://")
    name = name.lower()
    if name in SCHEMES:
        return SCHEMES[name]
    if found := _NATIVE.match(url):
        for scheme in SCHEMES.values():
            if scheme.native is not None and scheme.native.fullmatch(found["host"].lower()):
                return scheme
        raise RefusedTarget("a URL of https names no kind of target; a webhook is written as jsons://, xmls:// or forms://")
    if name in _IN_CLEAR:
        raise RefusedTarget(f"{name}:// goes in clear; use {_IN_CLEAR[name]}://")
    # The name is told only where it is one of ours: what stands there may be a secret that somebody pasted.
    what = "its URL is of a kind that is not used" if separator else "what stands there is not a URL"
    raise RefusedTarget(f"{what}; kinds that are used: {', '.join(SCHEMES)}")

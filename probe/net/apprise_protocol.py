"""apprise, restricted to one plugin, one message, verified TLS and no file of this machine. Nothing else imports it.

Left to itself it follows redirects, takes proxies and `.netrc` from the environment, lets the URL switch off the verification of
certificates, read files (`template`, `attach`), and send mail in clear, and logs whole URLs. It has no result but a boolean, so what came of
a delivery is noted by our session and our SMTP connection. It runs in a child process alone: what is replaced here is replaced for the process.
"""

from __future__ import annotations

import contextlib
import importlib
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from apprise.asset import AppriseAsset
from apprise.common import NotifyFormat, NotifyType, PersistentStoreMode
from apprise.plugins.email import base as mail
from apprise.plugins.email.smtp import AppriseSMTPController

from probe.net.alert_request import AppriseRequest, Delivered, DeliveryEnding
from probe.net.alert_session import DeliveryCourse, only_session
from probe.net.lifeline import require_parent
from probe.net.trust import verifying_context

PREFIX = "apprise.plugins."


class UnusableUrl(Exception):
    """The URL is none that is used; the message says why, in words that repeat nothing of it."""


def deliver(request: AppriseRequest) -> Delivered:
    """As `probe.net.alert_delivery.deliver`."""
    course = DeliveryCourse(request.seconds)
    try:
        target = _target(request)
    except UnusableUrl as unusable:
        return Delivered(DeliveryEnding.REFUSED, str(unusable))
    form = {} if request.passes_through else {"body_format": NotifyFormat.TEXT}
    is_done = False
    # A plugin's exception may hold the URL. What was sent until then stands in the course.
    with only_session(course, request.ca_file, request.hosts), _only_smtp(course, request.ca_file), contextlib.suppress(Exception):
        is_done = target.notify(request.body, title=request.title, notify_type=NotifyType(request.severity), **form)
    return course.drawn_together(is_done=is_done)


def _target(request: AppriseRequest) -> Any:
    """The plugin with what the URL says. Raises UnusableUrl."""
    plugin = getattr(importlib.import_module(PREFIX + request.module), request.plugin)
    asset = AppriseAsset(
        app_id="probe",
        app_desc="probe",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        plugin_paths=[],
        storage_mode=PersistentStoreMode.MEMORY,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    found = None
    with contextlib.suppress(Exception):
        # A URL as the target's own page shows it is none of apprise's.
        found = plugin.parse_native_url(request.url) if urlsplit(request.url).scheme == "https" else plugin.parse_url(request.url)
    if not found:
        raise UnusableUrl("its URL is not one that apprise understands")
    _check_options(found.get("qsd", {}), request.options)
    if issubclass(plugin, mail.NotifyEmail):
        # RFC 3834, section 5: so that nobody's absence notice answers.
        found["headers"] = {**found.get("headers", {}), "Auto-Submitted": "auto-generated"}
    found |= {**request.settings, "asset": asset, "verify": True, "redirect": False}
    try:
        target = plugin(**found)
    except Exception:  # noqa: BLE001 - it may hold the URL
        raise UnusableUrl("apprise does not accept its URL") from None
    if isinstance(target, mail.NotifyEmail) and target.secure_mode not in ("ssl", "starttls"):
        raise UnusableUrl("mail is sent over TLS alone; mode=starttls or mode=ssl")
    return target


def _check_options(given: Iterable[str], allowed: frozenset[str]) -> None:
    """Raises UnusableUrl where the query holds what is not allowed. The name may be a secret that somebody pasted, so only ours are repeated."""
    prefixes = tuple(name[:-1] for name in allowed if name.endswith("*"))
    if any(name and name not in allowed and not name.startswith(prefixes) for name in given):
        names = ", ".join(sorted(allowed)) or "none"
        raise UnusableUrl(f"its URL holds an option that is not allowed; allowed are: {names}")


@contextlib.contextmanager
def _only_smtp(course: DeliveryCourse, ca_file: str | None) -> Iterator[None]:
    """Meanwhile, apprise sends mail by our connection."""

    class Connection(_MailConnection):
        its_course, its_ca_file = course, ca_file

    before = mail.AppriseSMTPController  # type: ignore[attr-defined]
    mail.AppriseSMTPController = Connection  # type: ignore[attr-defined]
    try:
        yield
    finally:
        mail.AppriseSMTPController = before  # type: ignore[attr-defined]


class _MailConnection(AppriseSMTPController):
    """apprise's SMTP connection, with this machine's trust, the time that is left, and a note of what came of it."""

    its_course: DeliveryCourse
    its_ca_file: str | None
    _socket: Any

    def __enter__(self) -> _MailConnection:
        """As in apprise."""
        context = verifying_context(self.its_ca_file)
        seconds = self.its_course.remaining()
        require_parent()
        try:
            if self.secure_mode == "ssl":
                self._socket = smtplib.SMTP_SSL(self.host, self.port, timeout=seconds, context=context)
            else:
                self._socket = smtplib.SMTP(self.host, self.port, timeout=seconds)
                self._socket.starttls(context=context)
            if self.user and self.password:
                self._socket.login(self.user, self.password)
        except (OSError, smtplib.SMTPException, RuntimeError) as failure:
            self.its_course.note(*_before_mail(failure))
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            raise
        return self

    def sendmail(self, from_addr: str, to_addrs: list[str], message: str) -> bool:
        """As in apprise."""
        require_parent()
        try:
            refused = self._socket.sendmail(from_addr, to_addrs, message)
        except (OSError, smtplib.SMTPException, RuntimeError) as failure:
            self.its_course.note(*_of_mail(failure))
            return False
        if refused:
            self.its_course.note(DeliveryEnding.TAKEN)
            self.its_course.note(DeliveryEnding.REFUSED, "the mail server refused a recipient")
        else:
            self.its_course.note(DeliveryEnding.TAKEN)
        return not refused


def _before_mail(failure: Exception) -> tuple[DeliveryEnding, str]:
    """What a failure means before a message was begun."""
    match failure:
        case ssl.SSLCertVerificationError():
            return DeliveryEnding.REFUSED, "the mail server's certificate is not trusted"
        case smtplib.SMTPNotSupportedError():
            return DeliveryEnding.REFUSED, "the mail server does not offer STARTTLS, or no login that is known"
        case smtplib.SMTPAuthenticationError():
            return DeliveryEnding.REFUSED, f"the mail server refused the login (SMTP {failure.smtp_code})"
        case smtplib.SMTPResponseException():
            return DeliveryEnding.NOT_TAKEN, f"the mail server answered with SMTP {failure.smtp_code}"
    return DeliveryEnding.NOT_TAKEN, "no connection to the mail server"


def _of_mail(failure: Exception) -> tuple[DeliveryEnding, str]:
    """What a failure means while a message was sent."""
    match failure:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in failure.recipients.values()]
            return (
                DeliveryEnding.REFUSED if all(code >= 500 for code in codes) else DeliveryEnding.NOT_TAKEN
            ), f"no recipient was accepted (SMTP {max(codes)})"
        case smtplib.SMTPResponseException():
            return (
                DeliveryEnding.REFUSED if failure.smtp_code >= 500 else DeliveryEnding.NOT_TAKEN
            ), f"the mail server answered with SMTP {failure.smtp_code}"
    return DeliveryEnding.UNSEEN, "the connection to the mail server ended before it confirmed"

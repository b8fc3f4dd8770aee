"""Letters leave the house: each is written and sent by a task, tried again for hours when the mail server is away.

However slow that is, letters hold one of the worker's threads. The rest wait in the queue and not here: no row tells of
a letter, so one that only a worker knew of would be lost with it.
"""

from __future__ import annotations

import logging
import random
import smtplib
import ssl
import threading
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from huey.exceptions import RetryTask

from config import settings
from party import letters
from party.change import connected
from tasks import huey
from tasks.outside import BEHIND

AT_ONCE, SOONEST_SECONDS, LATEST_SECONDS = 1, 1, 5
"""A place of their own beside the rest that goes outside: nobody's new password waits for slow libraries."""
TRIES, PAUSE_SECONDS = 8, 60
"""Each wait is twice the one before: the last try is a good four hours after the first."""
TIMEOUT_SECONDS = 20.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_slots = threading.Semaphore(AT_ONCE)
logger = logging.getLogger(__name__)


def carry(kind: str, address: str, handle: str) -> None:
    """Have a letter written and sent by the worker. What the queue holds opens nothing by itself."""
    send_letter(kind, address, handle)


@huey.task(retries=TRIES, retry_delay=PAUSE_SECONDS, retry_backoff=2, priority=BEHIND)
def send_letter(kind: str, address: str, handle: str) -> None:
    """Write the letter as things are now, and send it. While another is on its way it waits, which is no try."""
    if not _slots.acquire(blocking=False):
        # Not all at the same moment again.
        raise RetryTask(delay=random.uniform(SOONEST_SECONDS, LATEST_SECONDS))
    try:
        _send(kind, address, handle)
    finally:
        _slots.release()


def deliver(letter: letters.Letter, smtp_url: str, sender: str) -> None:
    """Hand the letter to the mail server. A password is never sent over a line that others can read."""
    where = urlsplit(smtp_url)
    host, context = where.hostname or "", ssl.create_default_context()
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, where.port or 465, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(host, where.port or 587, timeout=TIMEOUT_SECONDS)
    with server:
        server.ehlo()
        is_private = where.scheme == "smtps"
        if not is_private and server.has_extn("starttls"):
            server.starttls(context=context)
            is_private = True
        if where.username:
            if not is_private and host not in LOOPBACK:
                raise smtplib.SMTPNotSupportedError("the mail server offers no TLS, so it gets no password")
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(_message(letter, sender), sender, [letter.to])


def _send(kind: str, address: str, handle: str) -> None:
    with connected():
        letter = letters.compose(kind, address, handle)
    if letter is None:
        return
    try:
        deliver(letter, settings.smtp_url, settings.mail_from)
    except smtplib.SMTPRecipientsRefused as refusal:
        if all(code < 500 for code, _ in refusal.recipients.values()):
            raise
        # For good: trying again would only annoy the mail server.
        logger.info("a mail server knows nobody by the address of a %s letter", kind)


def _message(letter: letters.Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Partyline <{sender}>", letter.to, letter.subject
    message["Date"], message["Message-ID"] = (
        formatdate(usegmt=True),
        make_msgid(domain=sender.rpartition("@")[2]),
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message

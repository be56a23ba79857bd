"""Mails a personal link in the patient's language; nothing about the illness is in it."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from signaling.messages import Language

log = structlog.get_logger()

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_SUBJECT = {"en": "Your link to the video consultation", "zh": "您的视频会诊链接"}
_BODY = {
    "en": (
        "Hello,\n\n{site} has arranged a video consultation for you on {when} (UTC).\n"
        "Open this link on your phone a few minutes earlier:\n\n{url}\n\n"
        "The link is for you alone: please do not pass it on. No app and no account are needed.\n"
    ),
    "zh": (
        "您好：\n\n{site}已为您安排视频会诊，时间为 {when}（UTC）。\n"
        "请提前几分钟用手机打开此链接：\n\n{url}\n\n"
        "此链接仅供您本人使用，请勿转发。无需安装应用，也无需注册账号。\n"
    ),
}


class Mailer:
    """One SMTP server."""

    def __init__(self, smtp_url: str, mail_from: str, timeout_s: float = 15.0) -> None:
        parts = urlsplit(smtp_url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._use_tls = parts.scheme == "smtps"
        self._start_tls = parts.scheme == "smtp+starttls"
        self._from = mail_from
        self._timeout_s = timeout_s

    async def send_link(
        self, to: str, language: Language, site_name: str, scheduled_at: datetime, url: str
    ) -> bool:
        """Whether the SMTP server took it."""
        message = EmailMessage()
        try:
            message["From"] = self._from
            message["To"] = to
        except ValueError:
            log.warning("mail_refused", error="address")
            return False
        message["Subject"] = _SUBJECT[language]
        when = scheduled_at.strftime("%Y-%m-%d %H:%M")
        message.set_content(_BODY[language].format(site=site_name, when=when, url=url), cte="8bit")
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._use_tls,
                start_tls=self._start_tls,
                timeout=self._timeout_s,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            log.warning("mail_failed", error=type(error).__name__)
            return False
        return True

    async def reachable(self) -> bool:
        """Whether the server answers (for the doctor)."""
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._use_tls,
            start_tls=self._start_tls,
            timeout=self._timeout_s,
        )
        try:
            async with client:
                await client.noop()
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

"""Mails to people: written down with what causes them (`post`), then handed over one by one."""

from services.mails.outbox import post
from services.mails.sending import MailSummary, send_due_mails, send_mail

__all__ = ["MailSummary", "post", "send_due_mails", "send_mail"]

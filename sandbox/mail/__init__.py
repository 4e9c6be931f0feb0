"""A mail relay that keeps what it is given: the mails of the demo and of the tests."""

from sandbox.mail.partner import MailSettings, SimulatedMailRelay

__all__ = ["MailSettings", "SimulatedMailRelay"]

"""A Slack of one's own on the loopback interface."""

from emulators.slack.faults import FAULTS
from emulators.slack.journal import Call
from emulators.slack.server import SlackEmulator
from emulators.slack.state import ApiError

__all__ = ["FAULTS", "ApiError", "Call", "SlackEmulator"]

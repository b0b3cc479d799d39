"""The parts of the emulator that a Web API method works on."""

from dataclasses import dataclass

from emulators.slack.deliveries import Deliveries
from emulators.slack.faults import Faults
from emulators.slack.files import Files
from emulators.slack.interactions import Interactions
from emulators.slack.messages import Messages
from emulators.slack.sockets import Sockets
from emulators.slack.state import Workspace
from emulators.slack.views import Views


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    workspace: Workspace
    faults: Faults
    files: Files
    messages: Messages
    interactions: Interactions
    views: Views
    deliveries: Deliveries
    sockets: Sockets

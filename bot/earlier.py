"""What authors wrote in the last seconds, in memory alone."""

from handlers.events import MessagePosted
from pipelines.content import Intake, Part


class EarlierMessages:
    """Implements `handlers.ports.Earlier`."""

    def before(self, event: MessagePosted) -> tuple[Part, ...]:
        return ()

    def note(self, event: MessagePosted, intake: Intake) -> None: ...

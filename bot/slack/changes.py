"""Files that change after they were posted. Slack names the file alone: which messages show it has to be asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog
from pydantic import ValidationError

from bot.metrics import Metrics
from bot.slack.history import History
from bot.slack.parse import PLATFORM, Identity, Seen, order
from bot.slack.recent import Recent
from bot.slack.web import FILE_GONE, SlackError, Web
from bot.slack.wire import WireFileChange, WireMessage, WirePlace, WireSharedFile
from pipelines.errors import Unavailable

ASKING_S: Final = 1.0  # while Slack waits for the acknowledgement
PLACES_MAX: Final = 20  # messages that show one file, of which each is asked for and judged
UPLOADED_S: Final = 60.0  # for so long after an upload Slack may tell of changes that are only its own work on the file

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChanges:
    """Finds what a change of a file means for messages. `hint_s`: how long it waits for the message of a new upload."""

    web: Web
    us: Identity
    history: History
    recent: Recent
    metrics: Metrics
    hint_s: float

    async def seen(self, told: WireFileChange) -> AsyncIterator[Seen]:
        """Yield the messages that show the file, in the state that this change brought about.

        Left out are those whose file is as it was: with each upload Slack tells of changes while it makes its thumbnails.

        Raises: `Unavailable` when Slack does not answer: it tells of the change again then.
        """
        file = await self._file(told.file_id)
        if file is None:
            return
        places = [(channel, place) for channel, place in file.shares.places if not channel.startswith("D")]
        if len(places) > PLACES_MAX:
            log.warning("slack.change_cut", file=file.id, messages=len(places))
            self.metrics.delivery_skipped(PLATFORM)
        for channel, place in islice(places, PLACES_MAX):
            message = await self._message(channel, place, file)
            if message is None or not message.spoken or message.written_by(self.us.user, self.us.bot):
                continue
            key = Seen(channel=channel, message=message).key(self.us)
            young = time.time() - order(message.ts)[0] < UPLOADED_S
            await self.recent.comes(key, within_s=self.hint_s if young else 0)
            if not self.recent.has(key, file):
                yield Seen(channel=channel, message=message, changed=True, file_event=told.event_id)
                self.recent.note(key, [file])

    async def _file(self, id: str) -> WireSharedFile | None:
        try:
            async with asyncio.timeout(ASKING_S):
                return WireSharedFile.model_validate((await self.web.call("files.info", file=id))["file"])
        except TimeoutError:
            raise Unavailable("Slack", "takes too long") from None
        except (SlackError, ValidationError, KeyError) as error:
            if not (isinstance(error, SlackError) and error.code in FILE_GONE):  # there is nothing left to judge
                log.warning("slack.change_unread", file=id, error=type(error).__name__)
                self.metrics.delivery_skipped(PLATFORM)
            return None

    async def _message(self, channel: str, place: WirePlace, file: WireSharedFile) -> WireMessage | None:
        """Return a message as it stands now; where history may not be read, what is known of it. None: it is gone."""
        try:
            async with asyncio.timeout(ASKING_S):
                return await self.history.message(channel, place.ts)
        except TimeoutError:
            raise Unavailable("Slack", "takes too long") from None
        except SlackError as error:
            log.info("slack.history_closed", channel=channel, code=error.code)
            return WireMessage(ts=place.ts, thread_ts=place.thread_ts, user=place.share_user_id, files=(file,))

"""Which files somebody means, and where they are."""

import re
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from handlers.events import CommandUsed, Place
from handlers.ports.channels import Channels, Posted
from handlers.ports.services import Services
from pipelines.content import LINK, Attachment
from pipelines.errors import UserError

_ADDRESS: Final = re.compile(r"<?(?P<url>https?://[^\s<>|]+)(?:\|[^<>]*)?>?", re.IGNORECASE)


async def asked_about(
    event: CommandUsed, address: str, services: Services, *, otherwise: str
) -> tuple[tuple[Attachment, ...], str]:
    """Return the command's files, the one at `address`, those of the message it is about, or of the newest with a file here.

    With them comes the id of that message, empty where there is none.

    Raises: `UserError` with the sentence `otherwise` when there are none.
    """
    if attachments := event.attachments or linked(address):
        return attachments, event.message or ""
    posted = await posted_here(event, services)
    if posted is None or not posted.content.attachments:
        raise UserError(otherwise)
    return posted.content.attachments, posted.message


async def posted_here(event: CommandUsed, services: Services) -> Posted | None:
    """Return the message that a command is about, else the newest one with a file where it was used."""
    if event.message:
        return await services.channels.message(event.place, event.message)
    return await services.channels.latest_with_files(event.place)


def linked(text: str) -> tuple[Attachment, ...]:
    """Return the file at the address that a text consists of. Slack may write it as `<https://…|label>`."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        return ()
    url = found["url"]
    name = PurePosixPath(urlsplit(url).path).name
    return (Attachment(id="link", url=f"{LINK}{url}", name=name, media_type="", size_bytes=0),)


async def fresh(attachment: Attachment, place: Place, message: str, channels: Channels) -> Attachment:
    """Return a file as its message shows it now, so that nothing is drawn of what was taken out of the channel meanwhile.

    Raises: `UserError` when it is gone, what the platform raises when it does not answer.
    """
    if not message:
        return attachment
    posted = await channels.message(place, message)
    for each in posted.content.attachments if posted else ():
        if each.id == attachment.id:
            return each
    raise UserError("The document is gone from its channel. Post it again.")

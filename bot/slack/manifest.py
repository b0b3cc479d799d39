"""What the Slack app asks for, and why. `manifest.yml` asks for the same, which a test proves."""

from dataclasses import dataclass
from typing import Final

HOW_TO_REINSTALL: Final = "Update the app from manifest.yml and install it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A permission. `why`: what it is used for; `without`: what does not work where it was not granted."""

    name: str
    why: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event that Slack tells of. `why`: what it is used for."""

    name: str
    why: str


SCOPES: Final = (
    Scope(name="app_mentions:read", why="hears where it is mentioned", without="mentions in shared channels may be missed"),
    Scope(name="channels:history", why="reads what is posted in public channels", without="public channels are not moderated"),
    Scope(name="channels:read", why="knows which public channels it is in", without="public channels are not caught up on"),
    Scope(name="chat:write", why="answers, and shows cases", without="nothing is answered and no case is shown"),
    Scope(name="commands", why="has slash commands and menu entries", without="no command and no menu entry works"),
    Scope(name="files:read", why="looks at the files that are posted", without="no picture can be judged or tagged"),
    Scope(
        name="files:write",
        why="posts pictures again that are restored, shows blurred ones with cases, sends what is long as a file, marked"
        " pages and data of documents, and what was made",
        without="no picture can be restored or shown, nothing that was made can be seen, and no data comes as a file",
    ),
    Scope(name="groups:history", why="reads what is posted in private channels", without="private channels are not moderated"),
    Scope(
        name="groups:read",
        why="knows which private channels it is in, that the one for cases is private, and who is in that",
        without="private channels are not caught up on, and nobody but admins counts as a moderator",
    ),
    Scope(name="im:history", why="reads what is written to it directly", without="direct messages are not answered"),
    Scope(
        name="im:write",
        why="finds its own direct messages again after a crash",
        without="a private notice may come twice after a crash",
    ),
    Scope(
        name="reactions:write",
        why="marks a document that was read with an emoji",
        without="nothing marks a document that was read",
    ),
    Scope(
        name="users:read",
        why="knows names, and who is an admin",
        without="people appear by their ids, and nobody may set Flashbulb up",
    ),
)

EVENTS: Final = (
    Heard(name="app_mention", why="is mentioned: of these Slack may tell where it tells of no other message"),
    Heard(name="app_uninstalled", why="was taken out of the workspace"),
    Heard(name="file_change", why="a file of a message became another one: the message is judged again"),
    Heard(name="file_deleted", why="a file was deleted, though its message may stand: what was made of it is deleted as well"),
    Heard(name="member_joined_channel", why="was invited: what is posted from then on is caught up on"),
    Heard(name="message.channels", why="something was posted, edited or deleted in a public channel that it is in"),
    Heard(name="message.groups", why="something was posted, edited or deleted in a private channel that it is in"),
    Heard(name="message.im", why="was written to directly"),
    Heard(name="tokens_revoked", why="a token was taken back"),
)

# Of the admin whose token is SLACK_ADMIN_USER_TOKEN.
USER_SCOPES: Final = (
    Scope(name="chat:write", why="takes members' messages out of channels", without="no message can be taken out"),
    Scope(name="files:write", why="deletes the files of such messages", without="the files of a removed message stay"),
)

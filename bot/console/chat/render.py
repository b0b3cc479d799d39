"""Messages, answers and forms to fragments of HTML. Templates lay out; words that need thought are chosen here."""

import re
import zlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal, assert_never
from urllib.parse import urlsplit

from markupsafe import Markup

from bot.console.access import desk_of
from bot.console.chat import CHANNELS, MODERATORS
from bot.console.downloads import is_download
from bot.console.pages import Pages
from bot.extraction_words import (
    doubts_of_summary,
    failed_of,
    foot_of,
    foot_of_batch,
    missing_of,
    standing_of_extraction,
    tables_of,
    title_of_batch,
    title_of_extraction,
    title_of_found,
    title_of_summary,
    tone_of_batch,
    tone_of_extraction,
    values_of,
)
from bot.making_words import (
    FOR_ADULTS,
    MADE,
    WITHOUT,
    estimate_of,
    facts_of_item,
    foot_of_queue,
    price_of_wish,
    title_of_made,
    title_of_making,
    title_of_not_made,
    title_of_queue,
    title_of_queued,
    title_of_shown,
    title_of_usage,
    took,
    usd,
)
from bot.storage.console_messages import Replies, StoredMessage
from bot.storage.sign_ins import CONSOLE
from bot.words import (
    MODES,
    PICTURE_ALT,
    called_for_in_words,
    held_words,
    line_of_case,
    missed_in_words,
    notes_of_case,
    precision_in_words,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
    tone_of_case,
    tone_of_verdict,
)
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    CaseFile,
    CaseList,
    Digest,
    DigestLine,
    Extracted,
    ExtractedTogether,
    Found,
    Held,
    Help,
    Invitation,
    Judged,
    Listing,
    Made,
    Making,
    Notice,
    NotMade,
    QueuedWish,
    SetUp,
    Tagged,
    Usage,
    WishQueue,
    WishShown,
)
from handlers.commands import COMMANDS, SHORTCUTS
from handlers.events import Person, Role
from handlers.forms import Form
from handlers.ports.generation import WishState
from pipelines.content import Attachment
from pipelines.limits import ATTACHMENTS_JUDGED, FILE_BYTES, MESSAGE_CHARS
from pipelines.moderation.report import label_of
from pipelines.ports import UNDERSTUDY

# Messages of one author that follow each other within this time stand under one name.
GROUPED_WITHIN: Final = timedelta(minutes=5)
ENDED: Final[Mapping[WishState | None, str]] = {"made": "made", "failed": "not made", "cancelled": "cancelled"}
AVATARS: Final = 6  # colours, in chat.css
DESK: Final = desk_of(CONSOLE)  # where the console's own cases are reviewed
LINK: Final = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}]", re.IGNORECASE)


def composer(role: Role) -> dict[str, object]:
    """Return what the template of a composer needs to know. Commands are pairs with what this role may write after them."""
    return {
        "commands": [(each, each.usage_for(role)) for each in COMMANDS if each.open_to(role)],
        "max_files": ATTACHMENTS_JUDGED,
        "max_bytes": FILE_BYTES,
        "max_chars": MESSAGE_CHARS,
    }


class Renderer:
    """Renders for one person at a time: `viewer` decides which links and buttons there are.

    `pictured`: ids of messages of ours that show a case whose picture is there to be seen. `ended`: what became of wishes that
    are made no longer, by their ids; None where they are kept no longer.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        pictured: AbstractSet[str] = frozenset(),
        ended: Mapping[str, WishState | None] = MappingProxyType({}),
    ) -> None:
        self._pages = pages
        self._pictured = pictured
        self._ended = ended

    def message(
        self,
        message: StoredMessage,
        *,
        viewer: Person,
        replies: Replies | None = None,
        follows: bool = False,
        in_thread: bool = False,
    ) -> Markup:
        """Return one message. `in_thread`: as it stands in the thread's panel, where nothing hangs on it."""
        return self._fragment(
            "chat/message.html",
            message=message,
            viewer=viewer,
            name=message.author.name if message.author else "Flashbulb",
            avatar=zlib.crc32((message.author.id if message.author else "").encode()) % AVATARS,
            answer=message.answer and self.answer(message.answer, message=message, viewer=viewer),
            spans=spans(message.text),
            replies=None if in_thread else replies,
            follows=follows,
            alone=stands_alone(message),
            in_thread=in_thread,
            shortcuts=shortcuts(message),
            log_channel=MODERATORS if MODERATORS.open_to(viewer.role) and message.channel != MODERATORS.name else None,
            files=() if isinstance(message.answer, Made) else message.files,
            is_picture=is_picture,
            is_download=is_download,
            size=size,
        )

    def messages(
        self,
        messages: Sequence[StoredMessage],
        *,
        viewer: Person,
        replies: Mapping[str, Replies] | None = None,
        in_thread: bool = False,
    ) -> Markup:
        """Return messages one after the other, grouped by author."""
        before: StoredMessage | None = None
        rendered = []
        for message in messages:
            rendered.append(
                self.message(
                    message,
                    viewer=viewer,
                    replies=(replies or {}).get(message.id),
                    follows=before is not None and follows(before, message),
                    in_thread=in_thread,
                )
            )
            before = message
        return Markup("").join(rendered)

    def thread(self, root: StoredMessage, replies: Sequence[StoredMessage], *, viewer: Person) -> Markup:
        """Return the panel of a thread: its root, the replies and a composer while it stands."""
        return self._fragment(
            "chat/thread.html",
            root=root,
            messages=self.messages([root, *replies], viewer=viewer, in_thread=True),
            channel=next(each for each in CHANNELS if each.name == root.channel),
            writing=composer(viewer.role),
        )

    def answer(self, answer: Answer, *, message: StoredMessage, viewer: Person) -> Markup:
        """Return what one of our answers says."""
        values: dict[str, object] = {}
        match answer:
            case CaseCard():
                values = {**_of_case(answer), "may_decide": viewer.role.reviews}
                values |= {"pictured": message.id in self._pictured and viewer.role.reviews, "picture_alt": PICTURE_ALT}
            case CaseFile():
                values = {**_of_case(answer.card), "desk": DESK}
            case CaseList():
                lines = [(each, line_of_case(each)) for each in answer.items]
                values = {"lines": lines, "waiting": waiting_in_words(answer), "desk": DESK}
            case Digest():
                shown = [(label_of(each.category).capitalize(), right_in_words(each), each) for each in answer.lines]
                values = {"title": title_of_digest(answer), "lines": shown, "missed": missed_in_words(answer.missed)}
                values |= {"may_decide": viewer.role.reviews}
            case Judged():
                values = {"tone": tone_of_verdict(answer), "title": title_of_verdict(answer)}
                values |= {"findings": [said(each) for each in answer.findings]}
            case Invitation():
                values = {"is_link": is_link(answer.url)}
            case SetUp():
                values = {"log_channel": answer.log_channel or MODERATORS.name, "mode": MODES[answer.mode]}
            case Held():
                values = {"words": held_words(answer)}
            case Alert():
                values = {"may_decide": viewer.role.reviews}
            case Extracted():
                values = {"tone": tone_of_extraction(answer), "title": title_of_extraction(answer)}
                values |= {"standing": standing_of_extraction(answer), "values": values_of(answer), "tables": tables_of(answer)}
                values |= {"failed": failed_of(answer), "missing": missing_of(answer), "foot": foot_of(answer)}
            case ExtractedTogether():
                titled = [(title_of_summary(each), doubts_of_summary(each), each) for each in answer.documents]
                values = {"tone": tone_of_batch(answer), "title": title_of_batch(answer), "documents": titled}
                values |= {"foot": foot_of_batch(answer)}
            case Found():
                values = {"title": title_of_found(answer.words, len(answer.items), more=answer.more)}
            case WishShown():
                values = {"title": title_of_shown(answer), "price": price_of_wish(answer), "without": WITHOUT}
                values |= {"prompt": prompt_beside(answer.wish, answer.prompt)}
            case Making():
                values = {"title": title_of_making(answer), "estimate": estimate_of(answer)}
                values |= {"prompt": prompt_beside(answer.wish, answer.prompt)}
            case Made():
                values = self._made(answer, message)
            case WishQueue():
                still = tuple(each for each in answer.items if each.id not in self._ended)
                values = {"title": title_of_queue(answer.model_copy(update={"items": still})), "foot": foot_of_queue(answer)}
                values |= {"queued": [(each, self._queued(each), each in still) for each in answer.items]}
            case Usage():
                values = {"title": title_of_usage(answer)}
            case NotMade():
                values = {"title": title_of_not_made(answer)}
            case Tagged() | Help() | Notice() | Listing():
                pass
            case _:
                assert_never(answer)
        return self._fragment(
            f"chat/answers/{answer.kind}.html", answer=answer, message=message, understudy=UNDERSTUDY, **values
        )

    def _queued(self, item: QueuedWish) -> str:
        """Say how far a wish of a list is, or what became of it."""
        if item.id not in self._ended:
            return title_of_queued(item)
        return f"{MADE[item.media][0]}, {ENDED.get(self._ended[item.id], 'kept no longer')}"

    def _made(self, answer: Made, message: StoredMessage) -> dict[str, object]:
        """Return what the template of `answer` needs: each thing with its file, None where that could not be made any more."""
        files = {message.positions[each.id]: each for each in message.files}
        things = [(each, files.get(at), tuple(facts_of_item(each))) for at, each in enumerate(answer.items)]
        gone = sum(file is None for _, file, _ in things)
        notes = (*answer.notes, f"{gone} of {len(things)} files cannot be shown any more.") if gone else answer.notes
        return {
            "title": title_of_made(answer),
            "things": things,
            "prompt": prompt_beside(answer.wish, answer.prompt),
            "notes": notes,
            "foot": [each for each in (answer.model, took(answer), usd(answer.cost_usd)) if each],
            "for_adults": FOR_ADULTS,
            "is_picture": is_picture,
            "is_video": is_video,
            "is_sound": is_sound,
        }

    def form(self, form: Form, *, channel: str, thread: str | None) -> Markup:
        """Return the dialog of a form that was opened in `channel`."""
        action = f"/channels/{channel}/forms/{form.name}"
        return self._fragment("chat/form.html", form=form, action=action, thread=thread, channels=CHANNELS)

    def _fragment(self, template: str, **values: object) -> Markup:
        return Markup(self._pages.fragment(template, **values))  # our own templates, which escape every value


def _of_case(card: CaseCard) -> dict[str, object]:
    """Return what is said of a case wherever it is shown."""
    return {
        "tone": tone_of_case(card),
        "title": title_of_case(card),
        "standing": standing_of_case(card),
        "findings": [said(each) for each in card.findings],
        "called_for": called_for_in_words(card),
        "notes": tuple(notes_of_case(card)),
    }


def follows(before: StoredMessage, message: StoredMessage) -> bool:
    """Whether `message` stands under the same name as the one `before` it."""
    plain = not any(stands_alone(each) for each in (before, message))
    same_author = (before.author and before.author.id) == (message.author and message.author.id)
    return plain and same_author and message.at - before.at < GROUPED_WITHIN


def stands_alone(message: StoredMessage) -> bool:
    """Whether a message is grouped with no other: its name and time matter, or it is not for all to see."""
    private = message.command is not None or message.only_for is not None
    return private or message.state != "shown" or isinstance(message.answer, CaseCard | Digest | Alert)


def message_pictured(answer: Answer | None) -> str | None:
    """Return the id of the message whose picture a case shows, while it waits for a decision."""
    if isinstance(answer, CaseCard) and answer.picture and (answer.undecided or answer.appeal == "open"):
        return answer.message or None
    return None


def waiting_in_words(cases: CaseList) -> str:
    """Say how many cases wait in all, beside the title of a list."""
    return f"{cases.waiting:,} {'waits' if cases.waiting == 1 else 'wait'}" if cases.waiting else "none waits"


def title_of_digest(digest: Digest) -> str:
    return f"What shadow mode has shown from {digest.since:%-d %b} to {digest.until:%-d %b}"


def right_in_words(line: DigestLine) -> str:
    """Say how much of what was found people agree with."""
    looked_at = line.right + line.wrong
    return f"{line.right:,} of {looked_at:,}{precision_in_words(line)}" if looked_at else "nobody has looked"


def shortcuts(message: StoredMessage) -> list[dict[str, str]]:
    """Return what the menu of a message offers: nothing on what is ours, or not for all to see."""
    if message.author is None or message.state != "shown" or message.only_for is not None:
        return []
    return [{"command": each.command, "label": each.label} for each in SHORTCUTS if message.files or not each.needs_file]


def spans(text: str) -> list[tuple[Literal["text", "link"], str]]:
    """Split a member's text into plain words and links. Only http and https addresses are links."""
    found: list[tuple[Literal["text", "link"], str]] = []
    end = 0
    for match in LINK.finditer(text):
        if match.start() > end:
            found.append(("text", text[end : match.start()]))
        found.append(("link", match.group()) if is_link(match.group()) else ("text", match.group()))
        end = match.end()
    return [*found, ("text", text[end:])] if end < len(text) else found


def prompt_beside(wish: str, prompt: str) -> str:
    """Return the prompt where it says more than the wish."""
    return "" if prompt.strip() == wish.strip() else prompt.strip()


def is_link(url: str) -> bool:
    """Whether `url` may be one that people press: an http(s) address with a host."""
    try:
        return urlsplit(url).scheme.lower() in {"http", "https"} and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def is_picture(file: Attachment) -> bool:
    """Whether a preview is worth asking for; whether it is a picture is known only once the media workers opened it."""
    return file.media_type.startswith("image/")


def is_video(file: Attachment) -> bool:
    return file.media_type.startswith("video/")


def is_sound(file: Attachment) -> bool:
    return file.media_type.startswith("audio/")


def size(size_bytes: int) -> str:
    """Return a file's size in words."""
    if size_bytes < 1_000:
        return "1 byte" if size_bytes == 1 else f"{size_bytes} bytes"
    return f"{size_bytes / 1_000:.0f} kB" if size_bytes < 1_000_000 else f"{size_bytes / 1_000_000:.1f} MB"

"""The picture that a wish begins with: found, judged, laid before the maker as it was judged, and what is said if it is not."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from PIL import ExifTags, Image, PngImagePlugin

from bot.downloads import guarded_session
from bot.links import NOT_A_FILE, linked_files
from bot.storage.database import open_records
from bot.storage.seal import Seal
from bot.storage.wishes import StoredWishes
from handlers.answers import Made, Notice, NotMade
from handlers.attachments import ASKED_BEFORE, CAME_ALONE, CHANGED, LOST, SIDES_PX, SOURCE_BYTES
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Make, Notify
from handlers.events import FormSubmitted, Tenant
from handlers.generation import FIRST_FRAME
from handlers.ports.channels import Posted
from handlers.ports.generation import StoredJob
from pipelines.content import LINK, MADE, Attachment, Content
from pipelines.errors import Gone, Unavailable, UserError
from pipelines.generation.modelslab import BROUGHT_BYTES
from pipelines.generation.wish import MakerJob, MakerModel
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from tests.fakes import GENERAL, ListedChannels, ListedFiles, a_comparison, a_message
from tests.handlers.test_generation import BO, Bot, command, last, press
from tests.making import FILM, FLUX, UPSCALER, ScriptedMaker, a_job
from tests.media import samples

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO = samples.encoded(samples.corner((64, 48)), "PNG")
OTHER = samples.encoded(samples.plain(samples.RED, (64, 48)), "PNG")
ADDRESS = "https://pictures.example/boat.png"
MESSAGE_LINK = "https://chat.example/archives/C1/p7"
AWAY = Unavailable("The file host")
EDITOR = MakerModel(name="editor", title="Editor", kind="image", operations=frozenset({"edit"}))
CUTTER = MakerModel(name="cutter", title="Cutter", kind="image", operations=frozenset({"cutout"}))
LARGER = samples.encoded(samples.plain(samples.GREEN, (96, 96)), "PNG")


@dataclass
class Host(ListedFiles):
    """Files by address, and what was made; `down`: it does not answer."""

    made: dict[str, bytes] = field(default_factory=dict)
    down: bool = False

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        if attachment.url.startswith(MADE):
            return self.made[attachment.id]
        if self.down:
            raise AWAY
        if attachment.url not in self.files:
            raise Gone("This file is gone.")
        data = self.files[attachment.url]
        if len(data) > limit_bytes:
            raise UserError("This file is too large.")
        return data


class Painter(ScriptedMaker):
    """A maker whose results are pictures."""

    async def fetch(self, job: MakerJob, *, limit_bytes: int) -> bytes:
        return LARGER


@dataclass
class Channels(ListedChannels):
    """As `ListedChannels`; notes for whom a link was followed."""

    followed: list[tuple[str, str]] = field(default_factory=list)

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        self.followed.append((address, person))
        if person != BO.id and address == MESSAGE_LINK:
            raise UserError("The message is not for you to see.")
        return self.links.get(address)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=1) as opened:
        yield opened


@dataclass
class Studio:
    """A bot that reads real pictures, with one of them posted in its channel."""

    bot: Bot
    host: Host
    channels: Channels

    @property
    def maker(self) -> ScriptedMaker:
        return self.bot.scripted

    async def remix(self, words: str, *, key: str = "test:c1") -> Sequence[AnyEffect]:
        return await self.bot.do(command("remix", words, author=BO, key=key))

    def posted(self, data: bytes, name: str = "photo.png", media_type: str = "image/png") -> Attachment:
        """Have a file stand in the channel, in the message m7."""
        file = self.at(f"test:{name}", data, name=name, media_type=media_type)
        before = self.channels.posted[-1].content.attachments if self.channels.posted else ()
        content = Content(attachments=(*before, file))
        self.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=content)]
        return file

    def at(self, url: str, data: bytes, *, name: str = "photo.png", media_type: str = "image/png") -> Attachment:
        self.host.files[url] = data
        return Attachment(id=name, url=url, name=name, media_type=media_type, size_bytes=len(data))

    def brought(self) -> Image.Image:
        (data,) = self.maker.brought
        return Image.open(io.BytesIO(data))


@pytest.fixture
def studio(sandbox: Sandbox) -> Studio:
    models = {each.name: each for each in (FLUX, UPSCALER, FILM, EDITOR, CUTTER)}
    bot = Bot(maker=Painter(models=models))
    host, channels = Host(made=bot.wishes.files), Channels(empty=True)
    bot.files, bot.channels = host, channels
    bot.media = MediaReader(host, sandbox)  # type: ignore[assignment]
    bot.planner = Planner(bot.services)
    return Studio(bot, host, channels)


def untouched(studio: Studio) -> bool:
    return not studio.maker.brought and not studio.maker.orders


# What is brought is what was judged.


@pytest.mark.parametrize("words", ["ink", "upscale"])
@pytest.mark.parametrize("where", ["address", "message"])
async def test_of_another_picture_than_the_judged_one_nothing_is_made(studio: Studio, words: str, where: str) -> None:
    url = f"{LINK}{ADDRESS}" if where == "address" else studio.posted(PHOTO).url
    studio.host.files[url] = PHOTO
    plan = await studio.bot.plan(command("remix", f"{words} {ADDRESS}" if where == "address" else words))

    studio.host.files[url] = OTHER
    answer = last(await studio.bot.carry_out(plan))

    assert isinstance(answer, NotMade)
    assert (answer.text, answer.buttons) == (CHANGED, ())
    assert untouched(studio)
    assert studio.bot.jobs.jobs == {}


async def test_what_was_judged_is_still_known_after_a_restart(studio: Studio, tmp_path: Path) -> None:
    studio.posted(PHOTO)
    plan = await studio.bot.plan(command("remix", "ink"))
    (wish,) = studio.bot.wishes.wishes.values()

    async with open_records(tmp_path, None) as records:
        kept = StoredWishes(records, Seal(Fernet.generate_key().decode()))
        await kept.save(wish, budget=studio.bot.budget)
        found = await kept.find(GENERAL.tenant, wish.id)
    assert found is not None
    studio.bot.wishes.wishes[wish.id] = found

    assert isinstance(last(await studio.bot.carry_out(plan)), Made)
    assert len(studio.maker.brought) == 1


async def test_once_more_it_is_judged_anew_and_may_be_another_picture(studio: Studio) -> None:
    file = studio.posted(PHOTO)
    answer = last(await studio.remix("ink"))

    studio.host.files[file.url] = OTHER
    again = last(await studio.bot.do(press("wish_reroll", answer.id)))

    assert isinstance(again, Made)
    assert len(studio.maker.brought) == 2


# As large as it was posted.


async def test_what_is_made_larger_is_brought_as_it_was_posted_without_what_it_carried(studio: Studio) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "canary"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 8.0, 0.0)
    studio.posted(samples.encoded(samples.corner((2000, 1200)), "JPEG", exif=exif, comment=b"canary"), media_type="image/jpeg")

    assert isinstance(last(await studio.remix("upscale")), Made)

    picture = studio.brought()
    assert picture.size == (1200, 2000)
    assert b"canary" not in studio.maker.brought[0]
    assert (len(picture.getexif()), "icc_profile" in picture.info) == (0, False)
    red, blue = picture.getpixel((1190, 10)), picture.getpixel((10, 10))
    assert red[0] > 200 > blue[0]  # type: ignore[index]


@pytest.mark.parametrize(("words", "mode"), [("upscale", "RGBA"), ("remove background", "RGBA"), ("ink", "RGB")])
async def test_what_is_transparent_stays_so_where_that_counts(studio: Studio, words: str, mode: str) -> None:
    picture = samples.corner((1300, 900)).convert("RGBA")
    picture.paste((20, 20, 220, 0), (650, 0, 1300, 900))
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "canary")
    studio.posted(samples.encoded(picture, "PNG", pnginfo=about))

    assert isinstance(last(await studio.remix(words)), Made)

    brought = studio.brought()
    assert (brought.mode, max(brought.size)) == (mode, 1300 if mode == "RGBA" else 1024)
    assert b"canary" not in studio.maker.brought[0]
    if mode == "RGBA":
        assert [brought.getpixel(at)[3] for at in ((10, 10), (1290, 10))] == [255, 0]  # type: ignore[index]


async def test_what_is_too_large_to_be_made_larger_is_refused_with_its_size(studio: Studio) -> None:
    studio.posted(samples.encoded(samples.corner((2600, 1500)), "JPEG"), media_type="image/jpeg")

    effects = await studio.remix("upscale")

    assert [type(each) for each in effects] == [Notify]
    assert "2,600 x 1,500" in last(effects).text
    assert "2,048" in last(effects).text
    assert (studio.bot.wishes.wishes, untouched(studio)) == ({}, True)


async def test_what_is_cut_out_of_something_larger_than_fits_says_so(studio: Studio) -> None:
    studio.posted(samples.encoded(samples.corner((5000, 1000)), "JPEG"), media_type="image/jpeg")

    told, *_, edit = await studio.remix("remove background")

    assert isinstance(told, Notify)
    assert isinstance(told.answer, Notice)
    assert "5,000 x 1,000" in told.answer.text
    assert "4,096 x 819" in told.answer.text
    assert isinstance(last([edit]), Made)
    assert studio.brought().size == (4096, 819)


async def test_what_is_brought_is_what_the_maker_takes() -> None:
    assert SOURCE_BYTES == BROUGHT_BYTES
    assert SIDES_PX.keys() == {"upscale", "cutout"}


# What each operation sends.


@pytest.mark.parametrize(
    ("words", "operation", "prompt"),
    [
        pytest.param("inspire: a harbour --raw", "inspire", "a harbour", id="inspire"),
        pytest.param("in the style of this picture: a harbour", "inspire", "", id="in-the-style-of"),
        pytest.param("edit: paint the sky green --raw", "edit", "paint the sky green", id="edit"),
        pytest.param("remove background", "cutout", "", id="cutout"),
        pytest.param("upscale", "upscale", "", id="upscale"),
    ],
)
async def test_an_operation_gets_its_picture_unless_it_sends_none(
    studio: Studio, words: str, operation: str, prompt: str
) -> None:
    studio.posted(PHOTO)

    answer = last(await studio.remix(words))

    assert isinstance(answer, Made)
    (order,) = studio.maker.orders
    assert (order.operation, order.source) == (operation, "" if operation == "inspire" else "source:1")
    assert len(studio.maker.brought) == (operation != "inspire")
    assert not prompt or order.prompt == prompt


async def test_what_is_only_inspired_needs_its_picture_no_more(studio: Studio) -> None:
    studio.posted(PHOTO)
    plan = await studio.bot.plan(command("remix", "inspire: a harbour"))

    studio.host.files.clear()

    assert isinstance(last(await studio.bot.carry_out(plan)), Made)


@pytest.mark.parametrize("button", ["wish_cutout", "wish_upscale"])
async def test_a_button_makes_something_of_what_was_made(studio: Studio, button: str) -> None:
    answer = last(await studio.bot.do(command("imagine", "a lighthouse")))

    done = last(await studio.bot.do(press(button, f"{answer.id}:1")))

    assert isinstance(done, Made)
    assert studio.brought().tobytes() == Image.open(io.BytesIO(LARGER)).tobytes()  # as it was made
    assert studio.maker.orders[-1].operation == button.removeprefix("wish_")


@pytest.mark.parametrize("do", ["upscale", "cutout"])
async def test_the_menu_of_a_message_makes_it_larger_or_cuts_it_out(studio: Studio, do: str) -> None:
    studio.posted(PHOTO)
    form = FormSubmitted(
        key="test:f1", place=GENERAL, author=BO, form="remix", about="m7", values={"do": do, "change": "words"}
    )

    post, *_, edit = await studio.bot.do(form)

    assert isinstance(last([edit]), Made)
    assert post.place.thread == "m7"  # type: ignore[union-attr]
    assert studio.maker.orders[0].operation == do
    assert studio.brought().size == (64, 48)


# When it cannot be read.


async def test_an_outage_before_anything_is_made_puts_it_off(studio: Studio) -> None:
    studio.posted(PHOTO)
    plan = await studio.bot.plan(command("remix", "ink"))

    studio.host.down = True
    with pytest.raises(Unavailable):
        await studio.bot.carry_out(plan)
    studio.host.down = False
    answer = last(await studio.bot.carry_out(plan))

    assert isinstance(answer, Made)
    assert len(studio.maker.orders) == 1


@pytest.mark.parametrize("words", ["ink", "upscale"])
async def test_an_outage_while_it_is_asked_for_is_said_as_one(studio: Studio, words: str) -> None:
    studio.posted(PHOTO)
    studio.host.down = True

    effects = await studio.remix(words)

    assert [type(each) for each in effects] == [Notify]
    assert last(effects).text == "The picture cannot be read now. Try again later."


@pytest.mark.parametrize("trouble", ["away", "gone", "changed"])
async def test_a_first_result_is_shown_when_the_picture_for_a_better_one_cannot_be_read(studio: Studio, trouble: str) -> None:
    file = studio.posted(PHOTO)
    plan = await studio.bot.plan(command("remix", "ink"))
    (wish,) = studio.bot.wishes.wishes
    made_before(studio, f"{wish}:1:0")

    spoil(studio, file, trouble)
    studio.bot.model.by_task["quality"] = [lambda question: a_comparison(question, 2, repaired_prompt="better ink")]
    answer = last(await studio.bot.carry_out(plan))

    assert isinstance(answer, Made)
    assert [each.score for each in answer.items] == [2]
    assert untouched(studio)


@pytest.mark.parametrize(
    ("trouble", "says", "again"),
    [
        pytest.param("away", "Try again later", True, id="away"),
        pytest.param("gone", LOST, False, id="gone"),
        pytest.param("changed", CHANGED, False, id="changed"),
    ],
)
async def test_of_several_what_is_paid_for_is_shown_and_why_the_rest_is_not(
    studio: Studio, trouble: str, says: str, again: bool
) -> None:
    file = studio.posted(PHOTO)
    plan = await studio.bot.plan(command("remix", "ink --count 2"))
    (wish,) = studio.bot.wishes.wishes
    made_before(studio, f"{wish}:2:0")

    spoil(studio, file, trouble)
    answer = last(await studio.bot.carry_out(plan))

    assert isinstance(answer, Made)
    assert [each.position for each in answer.items] == [2]
    assert says in answer.notes[0]
    assert ("wish_missing" in [each[0] for each in answer.buttons]) == again


@pytest.mark.parametrize("held", [False, True], ids=["gone", "held"])
async def test_a_picture_that_is_taken_out_meanwhile_is_not_brought(studio: Studio, held: bool) -> None:
    studio.posted(PHOTO)
    plan = await studio.bot.plan(command("remix", "ink"))

    studio.channels.copies = studio.channels.posted if held else []
    studio.channels.posted = []
    answer = last(await studio.bot.carry_out(plan))

    assert isinstance(answer, NotMade)
    assert (answer.text, answer.buttons) == (LOST, ())
    assert untouched(studio)


async def test_a_picture_that_came_with_a_command_alone_says_why_it_cannot_be_read_any_more(studio: Studio) -> None:
    alone = studio.at("test:alone.png", PHOTO)
    answer = last(await studio.bot.do(command("remix", "ink", alone)))
    assert isinstance(answer, Made)

    studio.host.files.clear()

    assert last(await studio.bot.do(press("wish_reroll", answer.id))).text == CAME_ALONE
    assert "This file is gone." in last(await studio.bot.do(command("remix", "ink", alone, key="test:c2"))).text
    assert len(studio.maker.orders) == 1


def made_before(studio: Studio, key: str) -> None:
    """Have an attempt be on record whose result is kept, as after a restart."""
    studio.bot.jobs.jobs[key] = StoredJob(key=key, state="fetched", job=a_job())
    studio.bot.wishes.files[key] = LARGER


def spoil(studio: Studio, file: Attachment, trouble: str) -> None:
    match trouble:
        case "away":
            studio.host.down = True
        case "gone":
            studio.channels.posted = []
        case _:
            studio.host.files[file.url] = OTHER


# What is said of what cannot be.


async def test_an_animation_of_many_scenes_is_refused_for_what_it_is(studio: Studio) -> None:
    studio.posted(samples.animation([samples.scene(at) for at in range(30)], "GIF"), "many.gif", "image/gif")

    effects = await studio.remix("ink")

    assert [type(each) for each in effects] == [Notify]
    assert "more different frames than are looked at" in last(effects).text
    assert "later" not in last(effects).text
    assert untouched(studio)


async def test_of_an_animation_that_is_remixed_it_is_said_that_its_first_frame_is_taken(studio: Studio) -> None:
    frames = [samples.plain(samples.RED), samples.plain(samples.BLUE)]
    studio.posted(samples.animation(frames, "GIF"), "two.gif", "image/gif")

    for key, words in enumerate(("ink", "upscale")):
        told, *_, edit = await studio.remix(words, key=f"test:{key}")
        assert isinstance(told, Notify)
        assert told.answer == Notice(text=FIRST_FRAME)
        assert isinstance(last([edit]), Made)

    firsts = [Image.open(io.BytesIO(data)).convert("RGB").getpixel((5, 5)) for data in studio.maker.brought]
    assert [red > 150 > blue for red, _, blue in firsts] == [True, True]  # type: ignore[misc]


@pytest.mark.parametrize("words", ["ink", "upscale"])
async def test_a_gigantic_picture_is_refused_before_it_is_decoded(studio: Studio, words: str) -> None:
    studio.posted(samples.png_bomb(12_000))

    effects = await studio.remix(words)

    assert "more than 50 megapixels" in last(effects).text
    assert untouched(studio)


async def test_of_a_message_the_first_picture_is_taken_whatever_stands_before_it(studio: Studio) -> None:
    studio.posted(b"only words", "notes.txt", "text/plain")
    studio.posted(PHOTO, "photo.png")

    assert isinstance(last(await studio.remix("ink")), Made)
    assert studio.brought().size == (64, 48)


async def test_the_newest_picture_is_taken_also_when_another_file_came_after_it(studio: Studio) -> None:
    studio.posted(PHOTO)
    picture = studio.channels.posted[0]
    studio.channels.posted = []
    studio.posted(b"only words", "notes.txt", "text/plain")
    studio.channels.posted = [replace(picture, message="m6"), *studio.channels.posted]

    post, *_, edit = await studio.remix("ink")

    assert isinstance(last([edit]), Made)
    assert post.place.thread == "m6"  # type: ignore[union-attr]
    about = await studio.bot.do(command("remix", "ink", message="m7", key="test:c2"))
    assert "no picture in this file" in last(about).text.lower()


# Links and addresses.


@pytest.mark.parametrize("way", ["command", "mention"])
async def test_a_link_to_a_message_is_followed_for_who_asks(studio: Studio, way: str) -> None:
    studio.posted(PHOTO)
    studio.channels.links[MESSAGE_LINK] = studio.channels.posted[0]

    def asked(author: Any, key: str) -> Any:
        words = f"as a watercolour <{MESSAGE_LINK}|the photo>"
        if way == "command":
            return command("remix", words, author=author, key=key)
        message = a_message(f"remix {words}", mentions_us=True, key=key)
        return message.model_copy(update={"author": author, "message": key})

    assert isinstance(last(await studio.bot.do(asked(BO, "test:1"))), Made)
    assert studio.maker.orders[0].operation == "restyle"
    assert "not for you" in last(await studio.bot.do(asked(BO.model_copy(update={"id": "eve"}), "test:2"))).text
    assert studio.channels.followed == [(MESSAGE_LINK, BO.id), (MESSAGE_LINK, "eve")]
    assert len(studio.maker.orders) == 1


async def test_a_mention_remixes_what_lies_at_an_address(studio: Studio) -> None:
    studio.at(f"{LINK}{ADDRESS}", PHOTO)

    effects = await studio.bot.do(a_message(f"please remix {ADDRESS} as a watercolour", mentions_us=True))

    assert isinstance(last(effects), Made)
    assert len(studio.maker.brought) == 1


async def test_a_mention_that_comes_once_more_with_its_preview_is_answered_once(studio: Studio) -> None:
    studio.at(f"{LINK}{ADDRESS}", PHOTO)
    asked = a_message(f"please remix {ADDRESS} as ink", mentions_us=True)
    again = asked.model_copy(update={"key": f"{asked.key}:preview"})

    plans = await asyncio.gather(studio.bot.plan(asked), studio.bot.plan(again))

    assert sorted(len([each for each in plan.effects if isinstance(each, Make)]) for plan in plans) == [0, 1]
    [wish] = studio.bot.wishes.wishes.values()
    assert (wish.root, wish.root_channel) == (asked.message, asked.place.channel)


async def test_a_remix_of_before_the_update_says_that_it_has_to_be_asked_for_again(studio: Studio) -> None:
    studio.at(f"{LINK}{ADDRESS}", PHOTO)
    plan = await studio.bot.plan(command("remix", f"{ADDRESS} as ink"))
    [wish] = studio.bot.wishes.wishes.values()
    assert wish.source is not None
    studio.bot.wishes.wishes[wish.id] = replace(wish, source=replace(wish.source, sha256=""))

    answer = last(await studio.bot.carry_out(plan))

    assert isinstance(answer, NotMade)
    assert answer.text == ASKED_BEFORE
    assert untouched(studio)


async def test_a_link_to_a_message_without_a_picture_is_said(studio: Studio) -> None:
    studio.channels.links[ADDRESS] = Posted(place=GENERAL, message="m8", author=BO, content=Content(text="words"))

    assert "no picture in the message" in last(await studio.remix(f"ink {ADDRESS}")).text


@pytest.mark.parametrize("address", ["http://127.0.0.1/a.png", "http://169.254.169.254/latest", "http://[::1]/a.png"])
async def test_an_address_inside_our_own_network_is_not_asked(studio: Studio, sandbox: Sandbox, address: str) -> None:
    async with guarded_session(None) as session:
        studio.bot.files = linked_files(session)  # type: ignore[assignment]
        studio.bot.media = MediaReader(studio.bot.files, sandbox)  # type: ignore[assignment]
        studio.bot.planner = Planner(studio.bot.services)

        effects = await studio.remix(f"ink {address}")

    assert last(effects).text == NOT_A_FILE
    assert untouched(studio)

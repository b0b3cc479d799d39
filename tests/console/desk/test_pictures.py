"""Pictures of cases: nobody sees one unasked, whoever asks is written down, and what nobody may keep is shown to nobody."""

import io
import json

import pytest
from PIL import Image

from handlers.events import Role
from handlers.ports.cases import Case
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.console.chat.serving import Visitor
from tests.console.desk.serving import CONSOLE, DESK, DeskSite, a_finding, a_photo, a_verdict


async def revealed(visitor: Visitor, case: Case, number: int = 0) -> dict[str, object]:
    status, text = await visitor.post(f"{DESK}/cases/{case.id}/pictures/{number}/reveal")
    assert status == 200, text
    return json.loads(text)


async def body_of(visitor: Visitor, path: str) -> tuple[int, bytes]:
    async with visitor.session.get(path) as answer:
        return answer.status, await answer.read()


async def test_a_thumbnail_has_16_pixels_and_less_than_a_kilobyte(site: DeskSite) -> None:
    noise = Image.effect_noise((800, 800), 120).convert("RGB")
    held = io.BytesIO()
    noise.save(held, "PNG")
    case, mo = await site.open(files=[("noise.png", held.getvalue())]), await site.visitor("Mo")

    status, thumbnail = await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred")

    assert status == 200
    assert len(thumbnail) <= 1024
    assert max(Image.open(io.BytesIO(thumbnail)).size) == 16


async def test_a_thumbnail_is_drawn_once(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")

    for _ in range(3):
        await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred")

    assert len(site.files.fetched) == 1


async def test_a_page_asks_for_nothing_clear(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")

    for path in (f"{DESK}/cases", f"{DESK}/cases/{case.id}"):
        _, html = await mo.get(path)
        assert "/media/" not in html
        assert "/revealed/" not in html
        assert html.count(f"/cases/{case.id}/pictures/0/blurred") + html.count(f'"cases/{case.id}/pictures/0/blurred') >= 1


async def test_whoever_looks_is_written_down(site: DeskSite) -> None:
    case, mo = await site.open(files=[("a.jpg", a_photo()), ("b.jpg", a_photo("blue"))]), await site.visitor("Mo")

    shown = await revealed(mo, case, 1)

    (link,) = [each for each in await site.audit.of_case(CONSOLE, case.id) if each.kind == "revealed"]
    assert (link.actor, link.subject, link.facts) == (mo.who.person.id, "ada", {"picture": 1})
    status, picture = await body_of(mo, str(shown["url"]))
    assert status == 200
    assert Image.open(io.BytesIO(picture)).size == (640, 480)


async def test_a_clear_picture_is_at_most_1024_pixels_and_drawn_anew(site: DeskSite) -> None:
    photo = a_photo(size=(3000, 1000))
    case, mo = await site.open(files=[("wide.jpg", photo)]), await site.visitor("Mo")

    _, picture = await body_of(mo, str((await revealed(mo, case))["url"]))

    opened = Image.open(io.BytesIO(picture))
    assert (opened.format, opened.width) == ("WEBP", 1024)


async def test_the_address_is_dead_after_a_minute_and_for_anybody_else(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")
    ayse = await site.visitor("Ayse")
    url = str((await revealed(mo, case))["url"])

    assert (await body_of(ayse, url))[0] == 404
    site.clock.moment += 59
    assert (await body_of(mo, url))[0] == 200
    site.clock.moment += 2
    assert (await body_of(mo, url))[0] == 404


async def test_from_the_tenth_picture_on_a_pause_is_offered(site: DeskSite) -> None:
    case, mo, ayse = await site.open(files=[("a.jpg", a_photo())]), await site.visitor("Mo"), await site.visitor("Ayse")

    looked = [await revealed(mo, case) for _ in range(10)]

    assert [each["looked"] for each in looked] == list(range(1, 11))
    assert [each["pause"] for each in looked] == [False] * 9 + [True]
    assert (await revealed(ayse, case))["looked"] == 1


@pytest.mark.parametrize("action", [Action.REMOVE, Action.FLAG])
async def test_what_nobody_may_keep_is_shown_nowhere(site: DeskSite, action: Action) -> None:
    verdict = a_verdict(a_finding(Category.CHILD_SAFETY, 4), keep_copy=False)
    case = await site.open("its words", files=[("its-name.jpg", a_photo())], verdict=verdict, action=action)
    mo = await site.visitor("Mo")

    assert (await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred"))[0] == 404
    assert (await mo.post(f"{DESK}/cases/{case.id}/pictures/0/reveal"))[0] == 404
    _, html = await mo.get(f"{DESK}/cases/{case.id}")
    assert "Nobody may keep or look at this" in html
    assert "report it to the authority" in html
    for hidden in ("its words", "its-name", "/pictures/"):
        assert hidden not in html
    assert "/pictures/" not in (await mo.get(f"{DESK}/cases"))[1]
    assert site.files.fetched == []


async def test_a_person_who_says_that_it_harms_a_child_hides_it_at_once(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")
    await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred")
    url = str((await revealed(mo, case))["url"])

    await site.cases.decide(
        CONSOLE, case.id, decision="kept", by=mo.who.person, event="d", right_category=Category.CHILD_SAFETY.value
    )

    assert (await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred"))[0] == 404
    assert (await body_of(mo, url))[0] == 404


@pytest.mark.parametrize(("name", "data"), [("broken.jpg", b"no picture"), ("clip.mp4", b"\0\0\0\x18ftypmp42")])
async def test_without_a_preview_there_is_a_sentence_and_no_original(site: DeskSite, name: str, data: bytes) -> None:
    case, mo = await site.open(files=[(name, data)]), await site.visitor("Mo")

    assert (await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred"))[0] == 204
    status, words = await mo.post(f"{DESK}/cases/{case.id}/pictures/0/reveal")
    assert (status, words) == (422, "There is no preview of this file. Look at it where it was posted.")
    assert [each.kind for each in await site.audit.of_case(CONSOLE, case.id)] == ["opened"]


async def test_a_message_that_is_gone_has_no_picture(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")
    site.channels.copies.clear()

    assert (await body_of(mo, f"{DESK}/cases/{case.id}/pictures/0/blurred"))[0] == 204
    status, html = await mo.get(f"{DESK}/cases/{case.id}")
    assert status == 200
    assert "Nothing of it is left" in html


async def test_a_member_sees_no_picture(site: DeskSite) -> None:
    case = await site.open(files=[("cat.jpg", a_photo())])
    eve, mo = await site.visitor("Eve", Role.MEMBER), await site.visitor("Mo")
    url = str((await revealed(mo, case))["url"])

    assert (await body_of(eve, f"{DESK}/cases/{case.id}/pictures/0/blurred"))[0] == 403
    assert (await eve.post(f"{DESK}/cases/{case.id}/pictures/0/reveal"))[0] == 403
    assert (await body_of(eve, url))[0] == 403


async def test_a_number_that_no_file_has_shows_nothing(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")

    assert (await mo.post(f"{DESK}/cases/{case.id}/pictures/7/reveal"))[0] == 422
    assert (await mo.post(f"{DESK}/cases/{case.id}/pictures/-1/reveal"))[0] == 404

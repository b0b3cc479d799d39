"""The policy's pages: who reads and changes it, what is wrong in a text, two who save at once, versions and suggestions."""

import asyncio
import json
import re
from dataclasses import replace

import pytest
from aiohttp import web

from bot.console.desk.saving import made_by
from handlers.events import AnyEvent, ButtonPressed, FormSubmitted, Person, Role
from handlers.forms import put_together
from pipelines.moderation.report import Category
from tests.console.desk.pages import CONSOLE, HOSTILE, OPERATORS, PagesSite, answered, sent
from tests.console.desk.serving import DESK, GENERAL, a_finding, a_verdict

POLICY = f"{DESK}/policy"
TEXT = OPERATORS.text
LOOSER = TEXT.replace("unknown: hold", "unknown: flag")
BROKEN = TEXT.replace("unknown: hold", "unknown: dance") + "zebra: 1\n"
WRITES = (
    ("/policy", {"text": LOOSER, "based_on": 0}),
    ("/policy/versions/0/hold", {"based_on": 0}),
    ("/policy/suggestions/abc", {}),
)


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


@pytest.mark.parametrize("path", ["policy", "policy/versions", "policy/versions/0", "policy/diff", "policy/suggestions"])
async def test_moderators_read_and_members_do_not(pages: PagesSite, path: str) -> None:
    mo, mia = await pages.visitor("Mo"), await pages.visitor("Mia", Role.MEMBER)

    assert (await mo.get(f"{DESK}/{path}"))[0] == 200
    assert (await mia.get(f"{DESK}/{path}"))[0] == 403


@pytest.mark.parametrize(("path", "fields"), WRITES)
async def test_only_admins_change_anything(pages: PagesSite, path: str, fields: dict[str, object]) -> None:
    await pages.saved(LOOSER)
    mo = await pages.visitor("Mo")

    status, _, _ = await answered(mo, f"{DESK}{path}", sent(**fields))

    assert status == 403
    assert pages.engine.accepted == []
    assert (await pages.policies.current(CONSOLE)).number == 1
    assert "textarea" not in (await mo.get(POLICY))[1]


async def test_all_that_is_wrong_is_said_with_its_line(pages: PagesSite) -> None:
    mo = await pages.visitor("Mo")

    _, _, text = await answered(mo, f"{POLICY}/check", {"text": BROKEN})

    errors = json.loads(text)["errors"]
    assert [(each["line"], each["key"]) for each in errors] == [
        (line_of(BROKEN, "unknown: dance"), "unknown"),
        (line_of(BROKEN, "zebra"), "zebra"),
    ]
    assert "must be flag, hold or remove" in errors[0]["says"]


async def test_a_text_in_order_says_what_it_would_change(pages: PagesSite) -> None:
    await pages.found(
        "m1", verdict=a_verdict(decision="unknown", findings=(), incomplete=[{"cause": "judge_down", "why": "x"}])
    )
    await pages.found("m2", verdict=a_verdict(a_finding(Category.HATE, 4)), channel="<b>memes")
    olga = await pages.visitor("Olga", Role.OPERATOR)

    _, _, text = await answered(olga, f"{POLICY}/check", {"text": LOOSER})

    heard = json.loads(text)
    assert heard["errors"] == []
    changes = heard["changes"]
    assert re.search(r"It changes <b>1</b> of the last 2 messages", changes)
    assert '<td>hold</td><td>flag</td><td class="number">1</td>' in changes
    assert "No model answered." in changes
    assert "unknown: hold -&gt; flag" in changes


async def test_hostile_names_of_channels_are_text(pages: PagesSite) -> None:
    verdict = a_verdict(decision="unknown", findings=(), incomplete=[{"cause": "judge_down", "why": "x"}])
    await pages.found("m1", verdict=verdict, channel=HOSTILE)
    await pages.saved(LOOSER + "# </textarea><script>alert(3)</script>\n", by=Person(id="x", name=HOSTILE))
    olga = await pages.visitor("Olga", Role.OPERATOR)

    shown = [
        (await olga.get(f"{DESK}/{path}"))[1] for path in ("policy", "policy/versions", "policy/versions/1", "policy/diff")
    ]

    for html in shown:
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "\u202e" not in html
    assert "&lt;script&gt;alert(1)" in shown[3]


async def test_saving_makes_a_version_and_the_log_channel_hears_of_it(pages: PagesSite) -> None:
    olga = await pages.visitor("Olga", Role.OPERATOR)
    fields = sent(text=LOOSER.replace("\n", "\r\n"), based_on=0)

    status, _, text = await answered(olga, POLICY, fields)
    again, _, text_again = await answered(olga, POLICY, fields)

    assert (status, json.loads(text)["number"]) == (200, 1)
    assert (again, json.loads(text_again)["number"]) == (200, 1)
    now = await pages.policies.current(CONSOLE)
    assert (now.number, now.text, now.author) == (1, LOOSER, "Olga")
    (event,) = pages.engine.accepted
    assert isinstance(event, FormSubmitted)
    assert (event.form, event.about, event.desk) == ("policy", "0", True)
    assert put_together(event.values).strip() == LOOSER.strip()
    (card,) = pages.engine.effects
    assert (card.kind, card.answer.title) == ("card", "Version 1 of the policy holds now, by Olga")


async def test_a_broken_text_is_never_saved(pages: PagesSite) -> None:
    olga = await pages.visitor("Olga", Role.OPERATOR)

    status, _, text = await answered(olga, POLICY, sent(text=BROKEN, based_on=0))

    assert status == 422
    assert {each["key"] for each in json.loads(text)["errors"]} == {"unknown", "zebra"}
    assert pages.engine.accepted == []


async def test_whoever_saves_second_hears_who_was_first_and_gets_both_texts(pages: PagesSite) -> None:
    olga, omar = await pages.visitor("Olga", Role.OPERATOR), await pages.visitor("Omar", Role.OPERATOR)
    theirs = TEXT + "# of Omar\n"
    await answered(omar, POLICY, sent(text=theirs, based_on=0))

    status, _, text = await answered(olga, POLICY, sent(text=LOOSER, based_on=0))

    heard = json.loads(text)
    assert (status, heard["number"], heard["text"]) == (409, 1, theirs)
    assert heard["says"] == "Omar changed the policy meanwhile: version 1 holds."
    assert (await pages.policies.current(CONSOLE)).text == theirs
    status, _, text = await answered(olga, POLICY, sent(text=LOOSER, based_on=1))
    assert (status, json.loads(text)["number"]) == (200, 2)


async def test_of_two_sent_at_once_one_is_saved_and_the_other_hears_of_it(pages: PagesSite) -> None:
    olga, omar = await pages.visitor("Olga", Role.OPERATOR), await pages.visitor("Omar", Role.OPERATOR)

    answers = await asyncio.gather(
        answered(olga, POLICY, sent(text=LOOSER, based_on=0)), answered(omar, POLICY, sent(text=TEXT + "# x\n", based_on=0))
    )

    assert sorted(status for status, _, _ in answers) == [200, 409]
    assert (await pages.policies.current(CONSOLE)).number == 1


async def test_what_somebody_else_saves_meanwhile_is_not_taken_for_ones_own(pages: PagesSite) -> None:
    await pages.saved(LOOSER)
    olga, accept = await pages.visitor("Olga", Role.OPERATOR), pages.engine.accept

    async def after_another(event: AnyEvent) -> None:
        await pages.saved(TEXT + "# of Omar\n", by=Person(id="omar", name="Omar", role=Role.OPERATOR))
        await accept(event)

    desk = replace(pages.desk, accept=after_another)
    event = ButtonPressed(
        key="desk:1", place=GENERAL, author=olga.who.person, desk=True, button="suggestion_apply", value="abc", message=""
    )

    with pytest.raises(web.HTTPConflict) as refused:
        await made_by(desk, event, before=1)
    assert refused.value.text == "Omar changed the policy meanwhile: version 2 holds. Reload the page."


async def test_ones_own_version_is_found_also_when_another_one_follows_at_once(pages: PagesSite) -> None:
    olga, accept = await pages.visitor("Olga", Role.OPERATOR), pages.engine.accept

    async def before_another(event: AnyEvent) -> None:
        await accept(event)
        await pages.saved(TEXT + "# of Omar\n", by=Person(id="omar", name="Omar", role=Role.OPERATOR))

    event = FormSubmitted(
        key="desk:1", place=GENERAL, author=olga.who.person, desk=True, form="policy", about="0", values={"text1": LOOSER}
    )
    saved = await made_by(replace(pages.desk, accept=before_another), event, before=0)

    assert (saved.number, saved.text, saved.author) == (1, LOOSER, "Olga")


async def test_a_text_as_long_as_a_policy_may_be_can_be_sent(pages: PagesSite) -> None:
    olga = await pages.visitor("Olga", Role.OPERATOR)
    text = TEXT + "# é {}: []\n" * ((64 * 1024 - len(TEXT.encode()) - 10) // len("# é {}: []\n".encode()))

    status, _, _ = await answered(olga, POLICY, sent(text=text, based_on=0))

    assert status == 200
    status, _, answer = await answered(olga, POLICY, sent(text=text + "# é\n" * 2_000, based_on=1))
    assert (status, json.loads(answer)["errors"][0]["line"]) == (422, 0)


async def test_while_the_engine_is_down_nothing_is_saved_and_that_is_said(pages: PagesSite) -> None:
    olga = await pages.visitor("Olga", Role.OPERATOR)
    pages.engine.down = True

    status, _, text = await answered(olga, POLICY, sent(text=LOOSER, based_on=0))

    assert (status, text) == (503, "The engine does not answer. Try again later.")


async def test_going_back_writes_the_old_text_as_the_newest_version(pages: PagesSite) -> None:
    await pages.saved(LOOSER)
    await pages.saved(TEXT + "# more\n")
    olga = await pages.visitor("Olga", Role.OPERATOR)
    html = (await olga.get(f"{POLICY}/versions"))[1]
    assert f'data-ask="{POLICY}/versions/1/hold"' in html
    assert f'data-ask="{POLICY}/versions/2/hold"' not in html  # it holds

    status, leads, _ = await answered(olga, f"{POLICY}/versions/1/hold", sent(based_on=2))

    assert (status, leads) == (303, f"{POLICY}/versions")
    now = await pages.policies.current(CONSOLE)
    assert (now.number, now.text) == (3, LOOSER)
    stale, _, words = await answered(olga, f"{POLICY}/versions/0/hold", sent(based_on=2))
    assert (stale, words) == (409, "Olga changed the policy meanwhile. Reload the page.")
    same, _, _ = await answered(olga, f"{POLICY}/versions/3/hold", sent(based_on=3))
    assert same == 422


async def test_versions_are_listed_with_what_they_changed_in_parts(pages: PagesSite) -> None:
    texts = [LOOSER + f"# {number}\n" for number in range(22)]
    for text in texts:
        await pages.saved(text)
    mo = await pages.visitor("Mo")

    first, last = (await mo.get(f"{POLICY}/versions"))[1], (await mo.get(f"{POLICY}/versions?before=3"))[1]

    assert re.findall(r"/policy/versions/(\d+)\"", first) == [str(number) for number in range(22, 2, -1)]
    assert 'href="?before=3"' in first
    assert re.findall(r"/policy/versions/(\d+)\"", last) == ["2", "1", "0"]
    assert "unknown: hold -&gt; flag" in last
    assert "data-ask" not in first  # not for a moderator


async def test_a_suggestion_is_applied_and_its_difference_is_shown(pages: PagesSite) -> None:
    mo, olga = await pages.visitor("Mo"), await pages.visitor("Olga", Role.OPERATOR)
    nothing = (await mo.get(f"{POLICY}/suggestions"))[1]
    assert "Nothing to suggest yet" in nothing
    for number in range(40):
        wrong = number < 12
        finding = a_finding(Category.HARASSMENT, 2, confidence=0.72 if wrong else 0.95, evidence="")
        case = await pages.judged(a_verdict(finding))
        decision = "restored" if wrong else "kept"
        await pages.cases.decide(CONSOLE, case.id, decision=decision, by=mo.who.person, event=f"d{number}")

    html = (await olga.get(f"{POLICY}/suggestions"))[1]
    address, *_ = re.findall(r'data-ask="([^"]+)"', html)
    assert "would have spared 12 of 12 overturned" in html
    status, leads, _ = await answered(olga, address, sent())

    assert (status, leads) == (303, f"{POLICY}/diff?old=0&new=1")
    shown = (await olga.get(leads))[1]
    assert "From version 0 to 1" in shown
    assert re.search(r"categories\.harassment|gates", shown)
    stale, _, words = await answered(olga, address, sent())
    assert stale == 422
    assert "not there any more" in words

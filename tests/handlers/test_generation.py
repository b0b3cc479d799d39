"""Wishes from their first word to what is posted: judged before they cost anything, made once, judged again, and told."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from handlers.answers import Alert, Answer, Made, Making, Notice, NotMade, WishShown
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Card, Edit, Make, Notify, Plan, Post, Remove, TakeBack
from handlers.events import ButtonPressed, CommandUsed, FormSubmitted, Person, Place, Tenant
from handlers.making import UNCLEAR_SECOND, made_nothing, make_wish
from handlers.ports.channels import Posted
from handlers.ports.generation import Budget, StoredJob
from handlers.showing import CANCELLED_UNSPENT
from pipelines.content import Attachment, Content, Hashes, Intake, Reading
from pipelines.errors import Unavailable, UserError
from pipelines.generation.catalogue import OFFERS
from pipelines.generation.wish import MakerJob
from pipelines.ports import Reply
from tests.fakes import ADA, GENERAL, MO, Known, ListedFiles, PlainMedia, a_comparison, a_judgement, a_message, a_picture
from tests.making import FILM, PNG, ListedWishes, ScriptedMaker, a_job

BO = Person(id="bo", name="Bo")


class EveryFile(ListedFiles):
    """All files there are, and all the same."""

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return PNG


@dataclass
class ReadMedia(PlainMedia):
    """As `PlainMedia`, and every file was read; all are of one type, and the same.

    `shrinks`: what becomes of a clip that is to be made smaller; None where that cannot be.
    """

    media_type: str = "image/png"
    shrinks: bytes | None = None

    async def smaller_film(self, data: bytes, *, size_bytes: int) -> bytes:
        if self.shrinks is None:
            raise UserError("The clip cannot be made small enough.")
        return self.shrinks[:size_bytes]

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = 0) -> Intake:
        made = await super().intake(content, fine=fine, file_bytes=file_bytes)
        hashes = Hashes(sha256=hashlib.sha256(PNG).hexdigest())
        readings = tuple(
            Reading(place=f"file:{at}", media_type=self.media_type, status="ok", hashes=hashes)
            for at, _ in enumerate(content.attachments)
        )
        return replace(made, readings=readings)


@dataclass
class Bot(Known):
    """All the fakes of one test, and the flow of an event through them: planned, made, and what was said meanwhile."""

    media: ReadMedia = field(default_factory=ReadMedia)
    files: ListedFiles = field(default_factory=EveryFile)
    maker: ScriptedMaker | None = field(default_factory=ScriptedMaker)
    said: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wishes.jobs = self.jobs
        self.planner = Planner(self.services)

    @property
    def scripted(self) -> ScriptedMaker:
        assert self.maker is not None
        return self.maker

    async def say(self, place: Place, message: str, answer: Answer) -> None:
        self.said.append(answer)

    async def plan(self, event: Any) -> Plan:
        return await self.planner.plan(event)

    async def carry_out(self, plan: Plan) -> Sequence[AnyEffect]:
        """Return everything that is done: what was planned, and what making led to."""
        done: list[AnyEffect] = []
        for effect in plan.effects:
            done.append(effect)
            if isinstance(effect, Post):
                self.cases.cards[effect.key] = "m2"
            if isinstance(effect, Make):
                done.extend((await self.planner.make(effect, self.say)).effects)
        return done

    async def do(self, event: Any) -> Sequence[AnyEffect]:
        return await self.carry_out(await self.plan(event))


@pytest.fixture
def bot() -> Bot:
    return Bot()


def command(
    name: str, argument: str = "", *files: Attachment, author: Person = ADA, key: str = "test:c1", message: str = ""
) -> CommandUsed:
    return CommandUsed(
        key=key, place=GENERAL, author=author, command=name, argument=argument, attachments=files, message=message or None
    )


def press(button: str, value: str, *, author: Person = ADA, key: str = "test:b1", message: str = "m2") -> ButtonPressed:
    return ButtonPressed(key=key, place=GENERAL, author=author, button=button, value=value, message=message)


def judges(bot: Bot, **opinions: Any) -> None:
    """Have the next verdict be one with these opinions."""
    bot.model.by_task.setdefault("moderation", []).append(lambda question: a_judgement(question, **opinions))


def last(effects: Sequence[AnyEffect]) -> Any:
    answer = getattr(effects[-1], "answer", None)
    assert answer is not None
    return answer


async def made(bot: Bot, argument: str = "a lighthouse", *, author: Person = ADA) -> Made:
    answer = last(await bot.do(command("imagine", argument, author=author)))
    assert isinstance(answer, Made)
    return answer


async def test_a_wish_is_answered_at_once_and_then_made_into_that_answer(bot: Bot) -> None:
    post, make, edit = await bot.do(command("imagine", "a lighthouse --ar 16:9"))

    assert isinstance(post, Post)
    assert isinstance(post.answer, Making)
    assert isinstance(make, Make)
    assert isinstance(edit, Edit)
    assert (edit.message, edit.place) == ("m2", post.place)
    assert isinstance(edit.answer, Made)
    assert edit.answer.cost_usd == "0.01"
    assert [file.kind for file in edit.files] == ["made_picture"]
    assert edit.files[0].alt_text
    assert bot.scripted.orders[0].aspect == "16:9"


async def test_nothing_is_spent_on_a_wish_that_is_not_allowed(bot: Bot) -> None:
    judges(bot, hate=(3, 0.95))

    effects = await bot.do(command("imagine", "something hateful"))

    assert [type(each) for each in effects] == [Notify]
    assert "hate" in last(effects).text
    assert (bot.scripted.orders, bot.wishes.wishes) == ([], {})


async def test_nothing_is_spent_while_nobody_can_judge_it(bot: Bot) -> None:
    bot.model.by_task["moderation"] = [Reply(outcome="unavailable", reason="away")]

    effects = await bot.do(command("imagine", "a lighthouse --raw"))

    assert "could not be checked" in last(effects).text
    assert bot.scripted.orders == []


async def test_a_result_that_is_not_allowed_is_never_posted(bot: Bot) -> None:
    judges(bot)  # the wish
    judges(bot, gore=(4, 0.99))  # the result

    effects = await bot.do(command("imagine", "a lighthouse --raw"))

    assert isinstance(last(effects), NotMade)
    assert not any(getattr(each, "files", ()) for each in effects)
    assert bot.wishes.files == {}


async def test_a_result_that_nobody_can_judge_now_waits_and_is_not_made_again(bot: Bot) -> None:
    judges(bot)
    bot.model.by_task["moderation"].append(Reply(outcome="unavailable", reason="away"))
    plan = await bot.plan(command("imagine", "a lighthouse --raw"))

    with pytest.raises(Unavailable):
        await bot.carry_out(plan)
    effects = await bot.carry_out(plan)

    assert isinstance(last(effects), Made)
    assert len(bot.scripted.orders) == 1


async def test_several_are_made_and_what_is_missing_is_said(bot: Bot) -> None:
    bot.scripted.submits = [a_job("1"), "validation", a_job("3")]

    answer = await made(bot, "a lighthouse --count 3")

    assert [each.position for each in answer.items] == [1, 3]
    assert len(answer.notes) == 1
    assert answer.cost_usd == "0.02"


async def test_a_poor_result_is_made_once_more_with_a_better_prompt(bot: Bot) -> None:
    def poor(question: Any) -> dict[str, Any]:
        return a_comparison(question, 2, repaired_prompt="a tall lighthouse")

    bot.model.by_task["quality"] = [poor]

    answer = await made(bot)

    assert answer.items[0].attempts == 2
    assert bot.scripted.orders[1].prompt == "a tall lighthouse"


async def test_poor_results_are_made_once_more_as_far_as_there_is_room(bot: Bot) -> None:
    def poor(question: Any) -> dict[str, Any]:
        return a_comparison(question, 2, repaired_prompt="a tall lighthouse")

    bot.model.by_task["quality"] = [poor] * 6
    bot.wishes.room = 2

    await made(bot, "a lighthouse --count 4")

    assert [order.prompt for order in bot.scripted.orders].count("a tall lighthouse") == 2


async def test_what_is_unclear_is_not_repeated_until_somebody_says_so(bot: Bot) -> None:
    bot.scripted.submits = ["unclear"]
    effects = await bot.do(command("imagine", "a lighthouse"))
    answer = last(effects)
    assert isinstance(answer, NotMade)
    assert "may have been charged" in answer.text
    assert answer.buttons == (("wish_again", "Make it anyway"),)

    again = await bot.do(press("wish_again", answer.id))

    assert isinstance(last(again), Made)
    assert sorted(bot.jobs.jobs) == [f"{answer.id}:1:0", f"{answer.id}:1:1"]


@pytest.mark.parametrize(
    ("steps", "label", "count"),
    [
        pytest.param(["unclear", a_job("1"), a_job("2")], "Make the missing one", 1, id="one-is-unclear"),
        pytest.param(["failed", "unclear", a_job("1")], "Make the missing 2", 2, id="two-are-missing"),
    ],
)
async def test_of_several_only_what_is_missing_is_made_by_a_press(bot: Bot, steps: list[Any], label: str, count: int) -> None:
    bot.scripted.submits = steps
    answer = await made(bot, "a lighthouse --count 3 --seed 5")
    button, says, value = answer.buttons[0]
    asked = len(bot.scripted.orders)

    rest = last(await bot.do(press(button, value, author=BO)))

    assert (button, says) == ("wish_missing", label)
    assert len(rest.items) == count
    assert len(bot.scripted.orders) == asked + count
    assert {each.prompt for each in bot.scripted.orders} == {bot.scripted.orders[0].prompt}
    assert not {each.seed for each in bot.scripted.orders[asked:]} & {each.seed for each in bot.scripted.orders[:asked]}


async def test_what_was_refused_is_not_offered_once_more(bot: Bot) -> None:
    bot.scripted.submits = ["withheld", a_job("1")]

    answer = await made(bot, "a lighthouse --count 2")

    assert [each[0] for each in answer.buttons] == ["wish_reroll", "wish_prompt", "wish_delete"]


@pytest.mark.parametrize("value", ["", ":0", ":2", ":x", ":-1"])
async def test_a_count_that_no_button_had_makes_nothing(bot: Bot, value: str) -> None:
    answer = await made(bot, "a lighthouse --count 2")

    assert isinstance(last(await bot.do(press("wish_missing", f"{answer.id}{value}"))), Notice)
    assert len(bot.scripted.orders) == 2


async def test_of_a_poor_result_it_is_said_that_the_second_attempt_may_have_been_charged(bot: Bot) -> None:
    def poor(question: Any) -> dict[str, Any]:
        return a_comparison(question, 2, repaired_prompt="a tall lighthouse")

    bot.model.by_task["quality"] = [poor]
    bot.scripted.submits = [a_job("1"), "unclear"]

    answer = await made(bot)

    assert (len(answer.items), answer.notes) == (1, (UNCLEAR_SECOND,))
    assert [each[0] for each in answer.buttons] == ["wish_reroll", "wish_prompt", "wish_delete"]


async def test_what_nobody_could_look_over_for_a_day_is_kept_and_looked_over_by_a_press(bot: Bot) -> None:
    away = {task: list(said) for task, said in bot.model.by_task.items()}
    plan = await bot.plan(command("imagine", "a lighthouse --count 2"))
    (make,) = (each for each in plan.effects if isinstance(each, Make))
    bot.model.by_task["moderation"] = [Reply(outcome="unavailable", reason="away")] * 4
    with pytest.raises(Unavailable):
        await make_wish(make, bot.services, bot.say)

    (told,) = await made_nothing(make, "Nobody has answered for a day.", bot.services)

    assert isinstance(told.answer, NotMade)
    assert "may have been charged" in told.answer.text
    assert (told.answer.buttons, len(bot.wishes.files)) == ((("wish_look", "Look once more"),), 2)
    bot.model.by_task = away
    answer = last(await bot.do(press("wish_look", told.answer.id)))
    assert isinstance(answer, Made)
    assert (len(answer.items), len(bot.scripted.orders)) == (2, 2)


@dataclass
class Counted(ListedWishes):
    """As `ListedWishes`; notes what a member asks to be let spend."""

    asked: list[Decimal] = field(default_factory=list)

    async def refuse_beyond(self, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget) -> None:
        self.asked.append(usd)
        await super().refuse_beyond(tenant, person, usd=usd, budget=budget)


async def given_up(bot: Bot, count: int, **jobs: StoredJob) -> NotMade:
    """Return the answer to a wish for so many that nobody could look over for a day; `jobs` are by their positions."""
    bot.wishes = Counted(jobs=bot.jobs)
    bot.planner = Planner(bot.services)
    plan = await bot.plan(command("imagine", f"a lighthouse --count {count}"))
    (make,) = (each for each in plan.effects if isinstance(each, Make))
    for at, job in jobs.items():
        key = f"{make.wish}:{at.removeprefix('at')}:0"
        bot.jobs.jobs[key] = replace(job, key=key)
        if job.state == "fetched":
            bot.wishes.files[key] = PNG
    (told,) = await made_nothing(make, "Nobody has answered for a day.", bot.services)
    assert isinstance(told.answer, NotMade)
    assert told.answer.buttons == (("wish_look", "Look once more"),)
    bot.wishes.asked.clear()
    return told.answer


FETCHED = StoredJob(key="", state="fetched", job=a_job())


async def test_looking_once_more_is_free(bot: Bot) -> None:
    answer = await given_up(bot, 2, at1=FETCHED, at2=FETCHED)
    bot.wishes.refuses = "You have made enough today."

    assert isinstance(last(await bot.do(press("wish_look", answer.id))), Made)
    assert bot.scripted.orders == []


async def test_what_is_missing_when_something_is_looked_over_is_within_the_limits(bot: Bot) -> None:
    answer = await given_up(bot, 3, at1=FETCHED, at2=StoredJob(key="", state="rejected", failure="queue_full"))
    assert isinstance(bot.wishes, Counted)
    before = (dict(bot.wishes.files), dict(bot.jobs.jobs), dict(bot.wishes.wishes))
    bot.wishes.refuses = "You have made enough today."

    refused = await bot.do(press("wish_look", answer.id, key="test:b1"))

    assert [type(each) for each in refused] == [Notify]
    assert last(refused).text == "You have made enough today."
    assert (bot.wishes.files, bot.jobs.jobs, bot.wishes.wishes) == before
    bot.wishes.refuses = ""
    answer_made = last(await bot.do(press("wish_look", answer.id, key="test:b2")))
    assert isinstance(answer_made, Made)
    assert (len(answer_made.items), len(bot.scripted.orders)) == (3, 2)
    assert bot.wishes.asked == [Decimal("0.02")] * 2  # of what is missing alone


@pytest.mark.parametrize("job", [StoredJob(key="", state="failed", failure="failed"), StoredJob(key="", state="unclear")])
async def test_what_is_not_made_again_needs_no_room_when_something_is_looked_over(bot: Bot, job: StoredJob) -> None:
    answer = await given_up(bot, 2, at1=FETCHED, at2=job)
    bot.wishes.refuses = "You have made enough today."

    assert len(last(await bot.do(press("wish_look", answer.id))).items) == 1
    assert bot.scripted.orders == []


async def test_a_press_that_a_crash_interrupted_is_not_counted_against_itself(bot: Bot) -> None:
    answer = await given_up(bot, 2, at1=FETCHED)
    plan = await bot.plan(press("wish_look", answer.id))  # which is lost
    bot.wishes.refuses = "There is a pause between two wishes."

    assert await bot.plan(press("wish_look", answer.id)) == plan


@pytest.mark.parametrize(
    ("state", "says", "button"),
    [
        pytest.param("submitting", "may still be charged", "Make it anyway", id="nobody-knows"),
        pytest.param("running", "may still be charged", "Make it anyway", id="it-is-being-made"),
        pytest.param("rejected", "It could not be made.", "Try again", id="it-was-never-taken"),
    ],
)
async def test_where_making_is_given_up_it_is_said_what_may_be_charged(bot: Bot, state: Any, says: str, button: str) -> None:
    plan = await bot.plan(command("imagine", "a lighthouse"))
    (make,) = (each for each in plan.effects if isinstance(each, Make))
    bot.jobs.jobs[f"{make.wish}:1:0"] = StoredJob(key=f"{make.wish}:1:0", state=state)

    (told,) = await made_nothing(make, "Flashbulb itself failed.", bot.services)

    assert isinstance(told.answer, NotMade)
    assert says in told.answer.text
    assert told.answer.buttons == (("wish_again", button),)


async def test_where_only_the_last_word_failed_what_was_made_is_shown(bot: Bot) -> None:
    plan = await bot.plan(command("imagine", "a lighthouse"))
    await bot.carry_out(plan)
    (make,) = (each for each in plan.effects if isinstance(each, Make))

    (told, *_) = await made_nothing(make, "Flashbulb itself failed.", bot.services)

    assert isinstance(told, Edit)
    assert isinstance(told.answer, Made)
    assert len(told.answer.items) == 1


async def test_a_wish_says_at_once_how_many_wait_before_it(bot: Bot) -> None:
    async def no_slot() -> bool:
        return False

    async def nothing() -> None:
        pass

    async def wait(at: int) -> None:
        async with bot.services.turns.turn(f"somebody {at}", f"w{at}", begin=no_slot, undo=nothing):
            pass

    waiting = [asyncio.create_task(wait(at)) for at in range(3)]
    await asyncio.sleep(0)

    (post, _) = (await bot.plan(command("imagine", "a lighthouse"))).effects

    assert isinstance(post, Post)
    assert isinstance(post.answer, Making)
    assert (post.answer.state, post.answer.ahead) == ("waiting", 3)
    bot.services.turns.close()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_wish_that_was_never_submitted_is_cancelled_without_a_word_of_charges(bot: Bot) -> None:
    bot.budget = Budget(confirm_above_usd=Decimal("0.10"))
    bot.planner = Planner(bot.services)
    shown = last(await bot.do(command("imagine", "waves --kind video")))

    cancelled = await bot.do(press("wish_cancel", shown.id))

    assert last(cancelled).text == CANCELLED_UNSPENT


async def test_a_second_press_begins_nothing_a_second_time(bot: Bot) -> None:
    bot.scripted.submits = ["unclear"]
    answer = last(await bot.do(command("imagine", "a lighthouse")))
    await bot.do(press("wish_again", answer.id, key="test:b1"))

    effects = await bot.do(press("wish_again", answer.id, key="test:b2"))

    assert isinstance(last(effects), Notice)
    assert len(bot.scripted.orders) == 2


async def test_without_credit_the_moderators_hear_of_it_and_the_member_gets_a_plain_sentence(bot: Bot) -> None:
    bot.scripted.submits = ["credits"]

    effects = await bot.do(command("imagine", "a lighthouse"))

    told, card = effects[-2:]
    assert isinstance(told, Edit)
    assert isinstance(told.answer, NotMade)
    assert "credit" in told.answer.text
    assert told.answer.buttons == ()
    assert isinstance(card, Card)
    assert isinstance(card.answer, Alert)


async def test_a_dear_wish_waits_for_a_yes_of_who_asked(bot: Bot) -> None:
    bot.budget = Budget(confirm_above_usd=Decimal("0.10"))
    bot.planner = Planner(bot.services)

    shown = last(await bot.do(command("imagine", "waves --kind video")))

    assert isinstance(shown, WishShown)
    assert bot.scripted.orders == []
    stranger = await bot.do(press("wish_make", shown.id, author=BO, key="test:b0"))
    assert isinstance(last(stranger), Notice)
    yes = await bot.plan(press("wish_make", shown.id))
    assert [type(each) for each in yes.effects] == [Edit, Make]


@pytest.mark.parametrize(
    ("wished", "options"),
    [
        pytest.param("waves --kind video", {"Model": "Wan 2.2", "Number": "1", "Format": "16:9", "Length": "5 s"}, id="a-clip"),
        pytest.param("waves --kind video --ar 9:16 --seconds 2", {"Format": "9:16", "Length": "2 s"}, id="a-tall-short-one"),
        pytest.param("waves --kind video --model kling --seconds 6", {"Format": "1:1", "Length": "10 s"}, id="by-steps"),
        pytest.param("waves --kind music --seconds 3", {"Model": "Music", "Number": "1", "Length": "30 s"}, id="music"),
        pytest.param("a boat --ar 21:9 --seed 5", {"Format": "21:9", "Seed": "5"}, id="a-picture"),
    ],
)
async def test_what_waits_for_a_yes_says_what_the_maker_will_be_asked_for(
    bot: Bot, wished: str, options: dict[str, str]
) -> None:
    bot.scripted.models = {name: offer.model for name, offer in OFFERS.items()}

    shown = last(await bot.do(command("imagine", f"{wished} --show")))
    await bot.do(press("wish_make", shown.id))

    said, order = dict(shown.options), bot.scripted.orders[0]
    assert said.items() >= options.items()
    assert ("Format" in said) == (order.kind not in ("music", "voice"))
    assert said.get("Format", order.aspect) == order.aspect
    assert said.get("Length") == (None if order.seconds is None else f"{order.seconds} s")


async def test_what_keeps_the_format_of_its_picture_names_none(bot: Bot) -> None:
    bot.scripted.models["film"] = FILM.model_copy(update={"aspects": ("16:9", "9:16")})
    answer = await made(bot, "a boat --ar 16:9")
    bot.budget = Budget(confirm_above_usd=Decimal("0.10"))
    bot.planner = Planner(bot.services)

    shown = last(await bot.do(press("wish_animate", f"{answer.id}:1")))

    assert dict(shown.options) == {"Model": "Film", "Number": "1"}


async def test_cancelling_while_it_waits_posts_nothing_and_says_what_may_be_charged(bot: Bot) -> None:
    bot.scripted.submits = [a_job(state="running", urls=())]
    asked = asyncio.Event()

    async def pause(job: MakerJob) -> MakerJob:
        asked.set()
        return job

    bot.scripted.poll = pause  # type: ignore[method-assign]
    plan = await bot.plan(command("imagine", "a lighthouse"))
    making = asyncio.create_task(bot.carry_out(plan))
    await asked.wait()
    (wish,) = bot.wishes.wishes.values()

    cancelled = await bot.do(press("wish_cancel", wish.id))
    effects = await making

    assert isinstance(last(cancelled), NotMade)
    assert "may still be charged" in last(effects).text
    assert bot.jobs.jobs[f"{wish.id}:1:0"].state == "dropped"


async def test_only_who_asked_and_moderators_cancel_and_delete(bot: Bot) -> None:
    answer = await made(bot)

    assert isinstance(last(await bot.do(press("wish_delete", answer.id, author=BO, key="test:b1"))), Notice)
    (taken_back,) = await bot.do(press("wish_delete", answer.id, author=MO, key="test:b2"))

    assert isinstance(taken_back, TakeBack)
    assert (bot.wishes.wishes, bot.wishes.files) == ({}, {})
    assert "kept no longer" in last(await bot.do(press("wish_reroll", answer.id, key="test:b3"))).text


async def test_a_deletion_that_a_crash_interrupted_still_takes_the_picture_back(bot: Bot) -> None:
    answer = await made(bot)
    press_of_a_moderator = press("wish_delete", answer.id, author=MO, key="test:b2")
    plan = await bot.plan(press_of_a_moderator)  # which is lost

    assert await bot.plan(press_of_a_moderator) == plan
    for author, key in ((MO, "test:b3"), (ADA, "test:b4")):
        (later,) = await bot.do(press("wish_delete", answer.id, author=author, key=key))
        assert isinstance(later, TakeBack)
    assert "kept no longer" in last(await bot.do(press("wish_delete", answer.id, author=BO, key="test:b5"))).text
    assert "kept no longer" in last(await bot.do(press("wish_delete", "nothing", key="test:b6"))).text


async def test_what_was_made_of_a_picture_goes_with_it_where_nobody_may_keep_it(bot: Bot) -> None:
    bot.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=Content(attachments=(a_picture(),)))]
    await bot.do(command("remix", "as a watercolour", message="m7"))
    (remixed,) = bot.wishes.wishes.values()
    await bot.do(press("wish_upscale", f"{remixed.id}:1"))
    await bot.do(command("imagine", "a lighthouse", key="test:c2"))
    for _ in range(2):
        judges(bot, child_safety=(4, 0.99))
    removed = a_message("look", a_picture()).model_copy(update={"message": "m7"})

    effects = [await bot.do(removed) for _ in range(2)]

    assert [each.wish.text for each in bot.wishes.wishes.values()] == ["a lighthouse"]
    assert len(bot.wishes.files) == 1
    for each in effects:
        assert [type(effect) for effect in each if isinstance(effect, Remove | TakeBack)] == [Remove, TakeBack, TakeBack]


@pytest.mark.parametrize(
    ("button", "operation", "strength"),
    [
        pytest.param("wish_vary_subtle", "vary", 0.35, id="a-little"),
        pytest.param("wish_vary_strong", "vary", 0.65, id="a-lot"),
        pytest.param("wish_upscale", "upscale", None, id="larger"),
    ],
)
async def test_what_was_made_is_made_more_of_in_its_thread(
    bot: Bot, button: str, operation: str, strength: float | None
) -> None:
    answer = await made(bot)

    post, *_, edit = await bot.do(press(button, f"{answer.id}:1", author=BO))

    assert isinstance(post, Post)
    assert post.place.thread == "m2"
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Made)
    order = bot.scripted.orders[-1]
    assert (order.operation, order.strength, order.source) == (operation, strength, "source:1")


async def test_a_reroll_has_the_same_prompt_and_another_seed(bot: Bot) -> None:
    answer = await made(bot, "a lighthouse --seed 5")

    await bot.do(press("wish_reroll", answer.id))

    first, second = bot.scripted.orders
    assert first.prompt == second.prompt
    assert (first.seed, second.seed != 5) == (5, True)


async def test_a_changed_prompt_is_judged_and_made_as_it_is(bot: Bot) -> None:
    answer = await made(bot)
    form = FormSubmitted(
        key="test:f1",
        place=GENERAL,
        author=ADA,
        form="wish_prompt",
        about=f"{answer.id}:m2",
        values={"prompt": "a red lighthouse"},
    )

    effects = await bot.do(form)

    assert isinstance(last(effects), Made)
    assert bot.scripted.orders[-1].prompt == "a red lighthouse"


async def test_a_picture_is_remixed_in_the_thread_of_its_message(bot: Bot) -> None:
    bot.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=Content(attachments=(a_picture(),)))]

    post, *_, edit = await bot.do(command("remix", "a watercolour"))

    assert isinstance(post, Post)
    assert (post.place.thread, post.about) == ("m7", "m7")
    assert isinstance(edit, Edit)
    assert bot.scripted.orders[0].operation == "restyle"
    assert bot.scripted.brought


async def test_a_mention_asks_for_a_remix_of_the_message_that_it_answers(bot: Bot) -> None:
    bot.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=Content(attachments=(a_picture(),)))]
    event = a_message("please remix as a watercolour", mentions_us=True).model_copy(update={"answers": "m7"})

    effects = await bot.do(event)

    assert isinstance(last(effects), Made)
    assert bot.scripted.orders[0].operation == "restyle"


async def test_sexual_remixes_of_somebodys_picture_are_refused_in_a_plain_sentence(bot: Bot) -> None:
    bot.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=Content(attachments=(a_picture(),)))]
    judges(bot, sexual=(2, 0.6))

    effects = await bot.do(command("remix", "without clothes --raw"))

    assert "somebody posted" in last(effects).text
    assert bot.scripted.orders == []


@pytest.mark.parametrize(
    ("event", "words"),
    [
        pytest.param(command("imagine", "  "), "Write what you wish for", id="an-empty-wish"),
        pytest.param(command("imagine", "x" * 4000), "", id="a-wish-that-is-too-long"),
        pytest.param(command("imagine", "a boat --model nothing"), "There are flux", id="a-model-that-is-not-there"),
        pytest.param(command("imagine", "a boat --seconds 5"), "a length", id="an-option-that-the-model-lacks"),
        pytest.param(command("imagine", "a song --kind music"), "Nothing here can", id="a-kind-that-nobody-makes"),
        pytest.param(command("remix", "as a watercolour"), "There is no picture", id="no-picture-at-all"),
        pytest.param(command("remix", "ink", a_picture("broken.jpg")), "damaged", id="a-damaged-picture"),
        pytest.param(press("wish_vary_subtle", "nothing:1"), "kept no longer", id="what-is-kept-no-longer"),
    ],
)
async def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_spent(bot: Bot, event: Any, words: str) -> None:
    effects = await bot.do(event)

    assert [type(each) for each in effects] == [Notify]
    assert words in last(effects).text
    assert bot.scripted.orders == []


@pytest.mark.parametrize(
    ("largest", "shrinks", "kept"),
    [
        pytest.param(len(PNG), b"smaller", PNG, id="as-it-is"),
        pytest.param(10, b"smaller, by far", b"smaller, b", id="smaller"),
        pytest.param(10, None, PNG, id="as-it-is-where-it-cannot-be-smaller"),
    ],
)
async def test_a_clip_that_its_platform_would_not_take_is_made_smaller_before_it_is_judged(
    bot: Bot, largest: int, shrinks: bytes | None, kept: bytes
) -> None:
    bot.media.media_type, bot.media.shrinks = "video/mp4", shrinks
    bot.channels.largest = largest

    answer = last(await bot.do(command("imagine", "waves --kind video")))

    assert isinstance(answer, Made)
    assert list(bot.wishes.files.values()) == [kept]


async def test_where_nobody_makes_anything_that_is_said(bot: Bot) -> None:
    bot.maker = None
    bot.planner = Planner(bot.services)

    assert "MODELSLAB_API_KEY" in last(await bot.do(command("imagine", "a boat"))).text


async def test_a_limit_is_said_as_it_is(bot: Bot) -> None:
    bot.wishes.refuses = "You have made enough today."

    assert last(await bot.do(command("imagine", "a boat"))).text == "You have made enough today."


async def test_after_a_crash_it_is_found_by_its_job_and_submitted_no_second_time(bot: Bot) -> None:
    plan = await bot.plan(command("imagine", "a lighthouse"))
    (wish,) = bot.wishes.wishes.values()
    key = f"{wish.id}:1:0"
    bot.jobs.jobs[key] = StoredJob(key=key, state="running", job=a_job(state="running", urls=()))

    effects = await bot.carry_out(plan)

    assert isinstance(last(effects), Made)
    assert bot.scripted.orders == []


async def test_killed_between_asking_and_knowing_nothing_is_submitted_again(bot: Bot) -> None:
    plan = await bot.plan(command("imagine", "a lighthouse"))
    (wish,) = bot.wishes.wishes.values()
    key = f"{wish.id}:1:0"
    bot.jobs.jobs[key] = StoredJob(key=key, state="submitting")

    effects = await bot.carry_out(plan)

    assert "may have been charged" in last(effects).text
    assert bot.scripted.orders == []


async def test_what_was_finished_before_a_crash_is_said_without_making_or_asking(bot: Bot) -> None:
    plan = await bot.plan(command("imagine", "a lighthouse"))
    await bot.carry_out(plan)
    asked = len(bot.model.questions)

    effects = await bot.carry_out(plan)

    assert isinstance(last(effects), Made)
    assert (len(bot.scripted.orders), len(bot.model.questions)) == (1, asked)


async def test_a_picture_of_bytes_that_are_none_is_not_posted(bot: Bot) -> None:
    bot.media.media_type = "text/html"

    answer = last(await bot.do(command("imagine", "a lighthouse")))

    assert isinstance(answer, NotMade)
    assert "cannot be used" in answer.text

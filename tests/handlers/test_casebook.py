"""Cases are listed and explained, for moderators alone."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from handlers.answers import CaseFile, CaseList, Invitation, Notice
from handlers.casebook import case_file
from handlers.dispatch import Planner
from handlers.effects import Notify
from handlers.events import FLASHBULB, ButtonPressed, CommandUsed, Person, Place, Tenant
from handlers.ports.cases import Appeal, Case, Link
from handlers.ports.channels import Posted
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.content import Content
from pipelines.errors import Unavailable
from pipelines.moderation.policies import parse
from pipelines.moderation.policy import Action
from tests.fakes import ADA, GENERAL, GRACE, MO, OLGA, Known, ListedCases, ListedChannels, a_message, a_picture

HATE = "Hate: severe, 95% sure. It opens remove (severity 3, confidence 0.85) of the rule for every category."
OTHER = """
version: 1
gates: {flag: [{severity: 1, confidence: 0.1}]}
categories: {child_safety: {remove: [{severity: 1, confidence: 0.1}]}}
"""


@dataclass
class Reached(Known):
    """As others reach the console at an address, or do not."""

    url: str = "https://desk.example"

    @property
    def services(self) -> Services:
        return replace(super().services, desk_url=self.url)


@dataclass
class Away(ListedChannels):
    """A platform that does not answer."""

    asked: list[str] = field(default_factory=list)

    async def message(self, place: Place, message: str) -> Posted | None:
        self.asked.append(message)
        raise Unavailable("Slack")

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        self.asked.append(message)
        raise Unavailable("Slack")


@dataclass
class ListedInDatabase(ListedCases):
    """As Postgres, which takes no NUL in a text."""

    async def find(self, tenant: Tenant, case: str) -> Case | None:
        assert "\x00" not in case
        return await super().find(tenant, case)


async def a_case(known: Known, number: int = 1, **opinions: tuple[int, float] | tuple[int, float, str]) -> str:
    known.model.judges(**(opinions or {"hate": (3, 0.95)}))
    message = a_message("bad", a_picture(), key=f"test:m{number}").model_copy(update={"message": f"m{number}"})
    before = set(known.cases.cases)
    await Planner(known.services).plan(message)
    [case] = set(known.cases.cases) - before
    return case


def a_command(argument: str, author: Person = MO) -> CommandUsed:
    return CommandUsed(key="test:c1", place=GENERAL, author=author, command="flashbulb", argument=argument)


def why(case: str, author: Person = MO) -> ButtonPressed:
    return ButtonPressed(key="test:b1", place=GENERAL, author=author, button="why", value=case, message="card")


async def answered(known: Known, event: CommandUsed | ButtonPressed) -> CaseFile | CaseList | Invitation | str:
    """Return what whoever asked gets, in private."""
    [notify] = (await Planner(known.services).plan(event)).effects
    assert isinstance(notify, Notify)
    assert notify.person == event.author.id
    answer = notify.answer
    if isinstance(answer, Notice):
        return answer.text
    assert isinstance(answer, CaseFile | CaseList | Invitation)
    return answer


async def file_of(known: Known, case: str) -> CaseFile:
    found = await answered(known, why(case))
    assert isinstance(found, CaseFile)
    return found


async def list_of(known: Known, argument: str = "cases") -> CaseList:
    found = await answered(known, a_command(argument))
    assert isinstance(found, CaseList)
    return found


async def test_why_and_the_command_explain_the_same_case_to_whoever_asks() -> None:
    known = Known()
    case = await a_case(known)

    pressed, typed = await file_of(known, case), await answered(known, a_command(f"case `{case.upper()}`"))

    assert isinstance(typed, CaseFile)
    assert (pressed.card, pressed.why) == (typed.card, typed.why)
    assert pressed.card.case == case
    assert pressed.why[0].startswith(HATE)
    assert "That is version 0 of the policy, which holds now." in pressed.why
    assert [each.text for each in pressed.steps] == ["The case was opened: removed."]


async def test_a_case_is_explained_by_the_version_that_held_then() -> None:
    known = Known()
    case = await a_case(known)
    known.policies.saved.append(PolicyVersion(number=1, policy=parse(OTHER, source="the policy"), text=OTHER))

    shown = await file_of(known, case)

    assert shown.why[0].startswith(HATE)
    assert "That is version 0 of the policy, which held then. Version 1 holds now." in shown.why


async def test_a_case_of_a_version_that_is_not_known_any_more_is_explained_by_no_other() -> None:
    known = Known()
    case = await a_case(known)
    verdict = known.cases.cases[case].verdict.model_copy(update={"policy": "0123456789ab"})
    known.cases.cases[case] = replace(known.cases.cases[case], verdict=verdict)

    shown = await file_of(known, case)

    assert shown.why[0] == (
        "The policy by which this was decided (0123456789ab) is not known any more, so nobody can say which gate opened."
    )
    assert shown.why[1] == "Hate: severe, 95% sure."
    assert not any("opens" in each or "version" in each for each in shown.why)


async def test_a_version_that_cannot_be_read_explains_nothing() -> None:
    known = Known()
    case = await a_case(known)
    broken = replace(await known.policies.current(GENERAL.tenant), trouble="line 3", number=1)
    known.policies.saved.append(broken)
    known.policies.policy = known.policies.policy.model_copy(update={"language": "fr"})  # version 0 is another one now

    assert (await file_of(known, case)).why[0].startswith("The policy by which this was decided")


async def test_the_file_holds_the_copy_of_what_was_taken_out() -> None:
    known = Known()
    case = await a_case(known)
    content = Content(text="<b>bad</b>", attachments=(a_picture("cat.jpg"),))
    known.channels.copies = [Posted(place=GENERAL, message="m1", author=ADA, content=content)]

    shown = await file_of(known, case)

    assert (shown.said, shown.files) == ("<b>bad</b>", ("cat.jpg",))


async def test_what_stands_is_read_where_it_stands() -> None:
    known = Known()
    case = await a_case(known, hate=(2, 0.6))
    known.channels.posted = [Posted(place=GENERAL, message="m1", author=ADA, content=Content(text="still here"))]

    assert (await file_of(known, case)).said == "still here"


@pytest.mark.parametrize("right", ["", "child_safety"], ids=["a-model-says-so", "a-person-says-so"])
async def test_nothing_is_shown_of_what_nobody_may_keep(right: str) -> None:
    known = Known(channels=Away())
    case = await a_case(known, **({"hate": (3, 0.95)} if right else {"child_safety": (4, 0.95)}))
    known.cases.cases[case] = replace(known.cases.cases[case], right_category=right, private=bool(right))

    shown = await file_of(known, case)

    assert (shown.said, shown.files) == ("", ())
    assert isinstance(known.channels, Away)
    assert known.channels.asked == []


async def test_a_platform_that_does_not_answer_is_a_line_of_the_history() -> None:
    known = Known(channels=Away())
    case = await a_case(known)

    shown = await file_of(known, case)

    assert (shown.said, shown.files) == ("", ())
    assert shown.steps[-1].text.startswith("What the message says cannot be shown now: Slack")


@pytest.mark.parametrize(
    ("link", "text"),
    [
        (
            Link(key="k", kind="acted", facts={"effect": "remove", "status": "done"}),
            "The message was taken out of the channel.",
        ),
        (
            Link(key="k", kind="acted", facts={"effect": "remove", "status": "done", "why": "A file stays."}),
            "The message was taken out of the channel. A file stays.",
        ),
        (
            Link(key="k", kind="acted", facts={"effect": "remove", "status": "failed", "why": "Not allowed."}),
            "The message could not be taken out: Not allowed.",
        ),
        (
            Link(key="k", kind="acted", facts={"effect": "restore", "status": "failed", "why": "No copy."}),
            "The message could not be brought back: No copy.",
        ),
        (Link(key="k", kind="acted", facts={"effect": "timeout", "status": "done", "lift": False}), "Ada was timed out."),
        (
            Link(key="k", kind="acted", facts={"effect": "ban", "status": "failed", "why": "Too strong.", "lift": False}),
            "The ban of Ada could not be carried out or lifted: Too strong.",
        ),
        (Link(key="k", kind="decided", facts={"decision": "kept"}, actor="mo"), "Mo kept the message removed."),
        (
            Link(key="k", kind="decided", facts={"decision": "kept", "right_category": "gore"}, actor="mo"),
            "Mo kept the message removed. The right category is gore.",
        ),
        (
            Link(key="k", kind="decided", facts={"decision": "restored"}, actor=FLASHBULB.id),
            "Flashbulb had the message put back.",
        ),
        (
            Link(key="k", kind="decided", facts={"decision": "dismissed"}),
            "Somebody who was erased found nothing wrong with the message.",
        ),
        (Link(key="k", kind="undone", facts={"decision": "kept"}, actor="mo"), "Mo took that decision back."),
        (Link(key="k", kind="measure", facts={"measure": "ban", "lift": False}, actor="mo"), "Mo decided to ban its author."),
        (Link(key="k", kind="appealed", actor="ada"), "Ada asked for another look."),
        (Link(key="k", kind="appeal_decided", facts={"granted": False}, actor="mo"), "Mo denied the appeal."),
        (Link(key="k", kind="gone", facts={"by": "moderator"}), "A moderator deleted the message by hand."),
        (Link(key="k", kind="revealed", facts={"picture": 0}, actor="U77"), "U77 looked at picture 1 without blur."),
    ],
    ids=lambda value: value.kind if isinstance(value, Link) else "",
)
async def test_the_history_says_who_did_what_and_what_failed(link: Link, text: str) -> None:
    known = Known()
    case = await a_case(known)
    found = known.cases.cases[case]
    known.cases.cases[case] = replace(found, names={"ada": "Ada", "mo": "Mo"})
    known.audit.add(replace(link, case=case))

    assert [each.text for each in (await file_of(known, case)).steps][1:] == [text]


async def test_it_is_explained_in_the_language_of_the_policy() -> None:
    known = Known()
    known.policies.policy = known.policies.policy.model_copy(update={"language": "de"})
    case = await a_case(known)

    shown = await file_of(known, case)

    assert shown.why[0].startswith("Hass: schwer, zu 95 % sicher.")
    assert [each.text for each in shown.steps] == ["Der Fall wurde eröffnet: entfernt."]


@pytest.mark.parametrize("asked", ["case", "why", "cases", "dashboard"])
async def test_members_see_no_cases(asked: str) -> None:
    known = Known()
    case = await a_case(known)
    event = why(case, ADA) if asked == "why" else a_command(f"case {case}" if asked == "case" else asked, ADA)

    said = await answered(known, event)

    assert isinstance(said, str)
    assert said.startswith("Only moderators ")


@pytest.mark.parametrize("id", ["nope", "x" * 500, "a\x00b", "\u202eabc", "';DROP"])
async def test_an_id_that_does_not_exist_is_one_clear_sentence(id: str) -> None:
    known = Known(cases=ListedInDatabase())

    assert await answered(known, a_command(f"case {id}")) == (
        "There is no such case here (any more). Write /flashbulb cases for those that wait."
    )


@pytest.mark.parametrize("argument", ["case", "case a b"])
async def test_a_command_without_an_id_says_what_to_write(argument: str) -> None:
    said = await answered(Known(), a_command(argument))

    assert said == "Write /flashbulb case and the id that stands on the card of the case."


async def test_cases_are_listed_by_what_is_asked_for() -> None:
    known = Known()
    waits, decided, gore = [await a_case(known, 1), await a_case(known, 2), await a_case(known, 3, gore=(3, 0.6))]
    known.cases.cases[decided] = replace(known.cases.cases[decided], state="kept")
    appeal = Appeal(text="why", at=datetime.now(UTC))
    known.cases.cases[gore] = replace(known.cases.cases[gore], appeal=appeal, shadow=True, at=datetime.now(UTC))

    def ids(shown: CaseList) -> set[str]:
        return {each.case for each in shown.items}

    assert ids(await list_of(known)) == ids(await list_of(known, "cases waiting")) == {waits, gore}
    assert ids(await list_of(known, "cases decided")) == {decided}
    assert ids(await list_of(known, "cases appealed")) == ids(await list_of(known, "cases shadow")) == {gore}
    assert ids(await list_of(known, "cases GORE")) == ids(await list_of(known, "cases waiting gore")) == {gore}
    assert ids(await list_of(known, "cases decided gore")) == set()
    listed = await list_of(known, "cases shadow")
    assert (listed.title, listed.waiting, listed.more) == ("Cases in shadow mode", 2, 0)
    [line] = listed.items
    assert (line.title, line.author, line.category, line.appealed) == ("Would be held", "Ada", "gore", True)


async def test_a_category_may_be_said_as_its_label() -> None:
    known = Known()
    case = await a_case(known, scam_spam=(3, 0.95))

    shown = await list_of(known, "cases scam or spam")

    assert [each.case for each in shown.items] == [case]
    assert shown.title == "Cases that wait: scam or spam"


async def test_ten_are_shown_and_the_others_counted() -> None:
    known = Known()
    for number in range(12):
        await a_case(known, number)

    shown = await list_of(known)

    assert (len(shown.items), shown.more, shown.waiting) == (10, 2, 12)


async def test_an_unknown_filter_names_what_there_is() -> None:
    said = await answered(Known(), a_command("cases everything"))

    assert isinstance(said, str)
    assert "waiting, appealed, shadow or decided" in said
    assert "scam_spam" in said


async def test_the_files_lead_to_the_desk_where_others_reach_it() -> None:
    known = Reached()
    case = await a_case(known)

    assert (await file_of(known, case)).url == f"https://desk.example/desk/test/w1/cases/{case.replace(':', '%3A')}"
    assert (await list_of(known)).url == "https://desk.example/desk/test/w1/cases"
    known.url = ""
    assert ((await file_of(known, case)).url, (await list_of(known)).url) == ("", "")


async def test_odd_names_of_workspaces_stay_one_part_of_the_address() -> None:
    known = Reached()
    case = await a_case(known)
    place = GENERAL.model_copy(update={"workspace": "a/b?c"})

    file = await case_file(replace(known.cases.cases[case], place=place), known.services)

    assert file.url.startswith("https://desk.example/desk/test/a%2Fb%3Fc/cases/")


@pytest.mark.parametrize(("author", "role"), [(MO, "moderator"), (GRACE, "admin"), (OLGA, "operator")])
async def test_who_decides_cases_gets_a_link_to_the_desk(author: Person, role: str) -> None:
    known = Reached()

    answer = await answered(known, a_command("dashboard", author))

    assert isinstance(answer, Invitation)
    assert (answer.desk, answer.name, answer.role, answer.minutes) == (True, author.name, role, 10)
    assert answer.url == "http://127.0.0.1:8321/enter#desk"


@pytest.mark.parametrize(
    ("real", "url", "opens"),
    [
        pytest.param(True, "", False, id="real-and-not-reached"),
        pytest.param(True, "https://desk.example", True, id="real-and-reached"),
        pytest.param(False, "", True, id="emulated"),
    ],
)
async def test_only_emulated_workspaces_open_the_desk_without_an_address(real: bool, url: str, opens: bool) -> None:
    known = Reached(channels=ListedChannels(real=real), url=url)

    answer = await answered(known, a_command("dashboard"))

    assert isinstance(answer, Invitation) is opens
    assert opens or "FLASHBULB_URL" in str(answer)
    assert known.invitations.invited == ([("Mo", "moderator")] if opens else [])


async def test_strikes_raids_quotas_and_limits_of_the_platform_are_explained() -> None:
    known = Known()
    case, _ = await a_case(known, 1), await a_case(known, 2)
    found = known.cases.cases[case]

    known.cases.cases[case] = replace(found, raid="r1", over_quota=True, action=Action.FLAG)
    with_quota = (await file_of(known, case)).why
    known.cases.cases[case] = replace(found, action=Action.FLAG)
    limited = (await file_of(known, case)).why

    assert "It belongs to a raid, of which all copies are treated alike." in with_quota
    assert "It was only flagged, since as much as the policy allows within an hour had been taken out already." in with_quota
    assert "1 other message of this author was removed lately." in with_quota
    assert "Flashbulb cannot do that much here: flag is done, and remove is left to moderators." in limited

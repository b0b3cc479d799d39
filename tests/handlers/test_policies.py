"""`/flashbulb policy`: who may, what is shown, what changes, and what is said about it."""

from dataclasses import dataclass, field, fields

import pytest

from handlers.answers import Listing, Notice
from handlers.effects import Card, Notify, Plan
from handlers.events import CommandUsed, FormSubmitted, Person, Tenant
from handlers.forms import EDITED_MAX, PIECES_MAX, Form, pieces_of, put_together
from handlers.policies import LISTED_MAX, on_policy, on_policy_form
from handlers.ports.channels import Posted, Setup
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.content import Attachment, Content
from pipelines.errors import UserError
from pipelines.moderation.policies import PRESETS, parse, preset, preset_text
from pipelines.moderation.policy import Action, Exempt
from pipelines.moderation.report import Category, Coverage, Finding
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Files
from tests.fakes import ADA, GENERAL, GRACE, MO, OLGA, FixedPolicy, Known, a_message, kinds

PLAIN = """version: 1
gates: {hold: [{severity: 2, confidence: 0.5}]}
categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}
"""
LAX = PLAIN.replace("confidence: 0.5}]}\ncat", "confidence: 0.9}]}\ncat")
BY_CHANNEL = PLAIN + "profiles: {calm: {unknown: flag}}\nchannels: [{match: {name: general}, profile: calm, mode: shadow}]\n"


@dataclass
class WithOperators(FixedPolicy):
    """Versions of which number 0 stays what it was."""

    async def versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        return (*reversed(self.saved), PolicyVersion(number=0, policy=parse(PLAIN, source="test"), text=PLAIN))


@dataclass
class ListedFiles:
    """Files by address."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return self.files[attachment.url]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithFiles(Services):
    files: Files


@dataclass
class Asked:
    """A workspace with a policy of its own, and what is asked about it."""

    known: Known = field(default_factory=lambda: Known(policies=WithOperators(parse(PLAIN, source="test"))))
    files: ListedFiles = field(default_factory=ListedFiles)

    @property
    def services(self) -> Services:
        services = self.known.services
        given = {each.name: getattr(services, each.name) for each in fields(services) if each.name != "files"}
        return WithFiles(files=self.files, **given)

    async def ask(self, argument: str, *attachments: Attachment, author: Person = GRACE) -> Plan:
        event = asked(argument, author=author).model_copy(update={"attachments": attachments})
        return await on_policy(event, argument.split(), self.services)

    async def form(self, author: Person = GRACE) -> Form | None:
        return await self.known.form(asked("edit", author=author))

    def posted(self, text: str, *, by: Person = GRACE) -> None:
        file = a_file("rules.yaml")
        self.files.files[file.url] = text.encode()
        self.known.channels.posted.append(Posted(place=GENERAL, message="m7", author=by, content=Content(attachments=(file,))))

    async def found(self, severity: int, confidence: float, *, key: str) -> None:
        finding = Finding(category=Category.HATE, severity=severity, confidence=confidence)
        verdict = Verdict(
            decision="act",
            action=Action.HOLD,
            findings=(finding,),
            coverage=Coverage(judged=1, total=1),
            policy="",
            prompt="",
            engine="none",
        )
        channel = await self.known.channels.channel(GENERAL)
        await self.known.verdicts.record(a_message(key=key), verdict, channel=channel, exempt=False)


def asked(argument: str, *, author: Person = GRACE) -> CommandUsed:
    return CommandUsed(
        key="test:c1", place=GENERAL, author=author, reply="secret", command="flashbulb", argument=f"policy {argument}"
    )


def submitted(about: int, *, author: Person = GRACE, **values: str) -> FormSubmitted:
    return FormSubmitted(key="test:f1", place=GENERAL, author=author, form="policy", about=str(about), values=values)


def a_file(name: str) -> Attachment:
    return Attachment(id=name, url=f"test:{name}", name=name, media_type="", size_bytes=3)


def private(plan: Plan) -> list[Notice | Listing]:
    """Return what only the person who asked sees."""
    said = [each for each in plan.effects if isinstance(each, Notify)]
    assert {(each.person, each.reply) for each in said} <= {("grace", "secret"), ("grace", "")}
    return [each.answer for each in said if isinstance(each.answer, Notice | Listing)]


@pytest.mark.parametrize("author", [ADA, MO], ids=["member", "moderator"])
@pytest.mark.parametrize("argument", ["", "versions", "use gaming", "rollback 0", "lint", "diff 0"])
async def test_only_who_sets_up_sees_and_changes_it(author: Person, argument: str) -> None:
    workspace = Asked()

    with pytest.raises(UserError, match="Only who administers"):
        await workspace.ask(argument, author=author)
    with pytest.raises(UserError, match="Only who administers"):
        await on_policy_form(submitted(0, author=author, text1=PLAIN), workspace.services)
    assert await workspace.form(author) is None
    assert workspace.known.policies.saved == []


@pytest.mark.parametrize("argument", ["", "show"])
async def test_show_says_what_holds_here_and_gives_the_text(argument: str) -> None:
    workspace = Asked()
    await workspace.ask("use gaming")
    workspace.known.setups.setup = Setup(mode="enforce")

    notice, listing = private(await workspace.ask(argument))

    assert isinstance(notice, Notice)
    assert notice.text.startswith("Version 1 holds")
    assert preset("gaming").fingerprint in notice.text
    assert "The mode is enforce." in notice.text
    assert listing == Listing(title="Version 1 of the policy", body=preset_text("gaming"))


async def test_show_says_which_profile_mode_and_exemptions_hold_in_this_channel() -> None:
    workspace = Asked()
    policy = parse(BY_CHANNEL, source="test")
    exempt = Exempt(roles=("moderator",), bots=("*",), still_scan=(Category.CHILD_SAFETY,))
    workspace.known.policies.policy = policy.model_copy(update={"exempt": exempt})

    notice = private(await workspace.ask("show"))[0]

    assert isinstance(notice, Notice)
    assert "The mode is enforce. In this channel it is shadow, and the profile calm holds." in notice.text
    assert "Exempt: the role moderator, every bot; still looked for in their messages: child safety." in notice.text


async def test_a_preset_holds_when_it_is_named_and_both_who_and_what_are_said() -> None:
    workspace = Asked()

    plan = await workspace.ask("use workplace")

    assert kinds(plan.effects) == ["notify", "card"]
    [saved] = workspace.known.policies.saved
    assert saved.text == preset_text("workplace")
    [said] = private(plan)
    card = plan.effects[1]
    assert isinstance(said, Listing)
    assert isinstance(card, Card)
    assert isinstance(card.answer, Listing)
    assert said.title == "Version 1 of the policy holds now"
    assert card.answer.title == "Version 1 of the policy holds now, by Grace"
    assert card.answer.body == said.body
    assert "To go back: /flashbulb policy rollback 0" in said.body


async def test_a_change_says_in_words_and_numbers_what_it_does() -> None:
    workspace = Asked()
    for position, confidence in enumerate((0.6, 0.7, 0.95)):
        await workspace.found(2, confidence, key=f"test:m{position}")
    workspace.posted(LAX)

    [said] = private(await workspace.ask("use"))

    assert isinstance(said, Listing)
    assert "gates.hold: severity 2, confidence 0.5 -> severity 2, confidence 0.9" in said.body
    assert "It changes 2 of the last 3 messages" in said.body
    assert "2 from hold to allow" in said.body


async def test_a_repeat_of_the_command_says_the_same_again() -> None:
    workspace = Asked()
    first = await workspace.ask("use gaming")
    known = workspace.known.policies

    async def the_same(*_: object, **__: object) -> object:
        return known.saved[0]

    known.save = the_same  # type: ignore[method-assign,assignment]
    assert await workspace.ask("use gaming") == first


@pytest.mark.parametrize("comes", ["with-the-command", "posted-before"])
async def test_a_file_may_come_with_the_command_or_be_posted_before(comes: str) -> None:
    workspace = Asked()
    workspace.posted("\ufeff" + LAX.replace("\n", "\r\n"))
    attachments = (a_file("rules.yaml"),) if comes == "with-the-command" else ()
    if attachments:
        workspace.known.channels.posted.clear()

    await workspace.ask("use", *attachments)

    assert [each.text for each in workspace.known.policies.saved] == [LAX]


@pytest.mark.parametrize("argument", ["use", "lint"])
async def test_nobody_elses_file_becomes_the_policy(argument: str) -> None:
    workspace = Asked()
    workspace.posted(LAX)
    workspace.posted(PLAIN + "# Ada's\n", by=ADA)

    with pytest.raises(UserError, match="Post one file here"):
        await workspace.ask(argument)


@pytest.mark.parametrize(
    ("argument", "attachments", "said"),
    [
        pytest.param("use chaos", (), "Choose default, workplace", id="no-such-preset"),
        pytest.param("use", (a_file("cat.jpg"),), r"ends in \.yaml", id="no-yaml-file"),
        pytest.param("use", (a_file("a.yaml"), a_file("b.yml")), "Post one file", id="two-files"),
        pytest.param("use", (a_file("latin.yaml"),), "UTF-8", id="not-utf-8"),
        pytest.param("use", (a_file("wrong.yaml"),), "line 1", id="wrong"),
        pytest.param("lint", (a_file("wrong.yaml"),), "line 1", id="lint-of-what-is-wrong"),
        pytest.param("rollback 7", (), "no version 7", id="no-such-version"),
        pytest.param("rollback ²", (), "rollback NUMBER", id="no-number"),
        pytest.param("diff 0 x", (), "diff NUMBER", id="diff-with-a-word"),
        pytest.param("dance", (), "policy show, versions", id="no-such-thing"),
        pytest.param("edit", (), "could not be opened", id="edit-whose-form-did-not-open"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_changes(
    argument: str, attachments: tuple[Attachment, ...], said: str
) -> None:
    workspace = Asked()
    workspace.files.files = {"test:latin.yaml": "né".encode("latin-1"), "test:wrong.yaml": b"version: one"}

    with pytest.raises(UserError, match=said):
        await workspace.ask(argument, *attachments)
    assert workspace.known.policies.saved == []


async def test_lint_says_what_a_file_would_change_and_changes_nothing() -> None:
    workspace = Asked()
    workspace.posted(LAX)

    [said] = private(await workspace.ask("lint"))

    assert isinstance(said, Listing)
    assert said.title == "This policy is in order"
    assert "confidence 0.5 -> severity 2, confidence 0.9" in said.body
    assert workspace.known.policies.saved == []


async def test_rollback_writes_a_new_version_with_the_old_text() -> None:
    workspace = Asked()
    await workspace.ask("use gaming")
    await workspace.ask("use workplace")

    await workspace.ask("rollback 1")

    assert [each.number for each in workspace.known.policies.saved] == [1, 2, 3]
    assert workspace.known.policies.saved[2].text == preset_text("gaming")


@pytest.mark.parametrize(("argument", "title"), [("diff 0", "From version 0 to version 1"), ("diff 1 0", "From version 1 to")])
async def test_diff_lists_what_would_have_been_treated_differently(argument: str, title: str) -> None:
    workspace = Asked()
    workspace.posted(LAX)
    await workspace.ask("use")
    for position in range(LISTED_MAX + 2):
        await workspace.found(2, 0.6, key=f"test:m{position}")

    [said] = private(await workspace.ask(argument))

    assert isinstance(said, Listing)
    assert said.title.startswith(title)
    step = "hold -> allow" if argument == "diff 0" else "allow -> hold"
    assert said.body.count(f"  general: {step}  Hate: moderate, 60% sure.") == LISTED_MAX
    assert "and 2 more" in said.body


async def test_versions_are_listed_newest_first_with_who_made_them() -> None:
    workspace = Asked()
    await workspace.ask("use gaming")
    await workspace.ask("use art-18")

    [said] = private(await workspace.ask("versions"))

    assert isinstance(said, Listing)
    assert said.title == "Policies of this workspace: 2 holds"
    numbers = [line.split()[0] for line in said.body.split("\n")[:3]]
    assert numbers == ["2", "1", "0"]
    assert preset("gaming").fingerprint in said.body.split("\n")[1]


@pytest.mark.parametrize("name", PRESETS)
async def test_every_preset_fits_into_the_form_and_comes_back_unchanged(name: str) -> None:
    pieces = pieces_of(preset_text(name))

    assert len(pieces) <= PIECES_MAX
    assert all(len(piece) <= EDITED_MAX and not piece[0].isspace() for piece in pieces)
    values = {f"text{position}": piece for position, piece in enumerate(pieces, start=1)}
    assert put_together(values) + "\n" == preset_text(name)


async def test_the_form_opens_with_the_text_and_what_comes_back_holds() -> None:
    workspace = Asked()
    await workspace.ask("use gaming")

    form = await workspace.form()
    assert form is not None
    values = {each.name: each.value.replace("version: 1", "version: 1\r\nlanguage: de") for each in form.fields}
    plan = await on_policy_form(submitted(int(form.about), **values), workspace.services)

    assert kinds(plan.effects) == ["notify", "card"]
    assert workspace.known.policies.saved[1].policy.language == "de"
    assert workspace.known.policies.saved[1].text == preset_text("gaming").replace("version: 1", "version: 1\nlanguage: de")


async def test_a_form_that_was_open_too_long_overwrites_nobody() -> None:
    workspace = Asked()
    await workspace.ask("use gaming", author=OLGA)

    with pytest.raises(UserError, match="Olga changed the policy meanwhile: version 1 holds"):
        await on_policy_form(submitted(0, text1=LAX), workspace.services)
    assert len(workspace.known.policies.saved) == 1


async def test_a_policy_that_no_form_can_hold_is_changed_by_a_file() -> None:
    workspace = Asked()
    workspace.posted(PLAIN + "# long\n" * 500)
    await workspace.ask("use")

    assert await workspace.form() is None
    with pytest.raises(UserError, match="too long for a form"):
        await workspace.ask("edit")

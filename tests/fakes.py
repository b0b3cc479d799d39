"""Ports replaced by a few lines each, and makers of the values that tests talk about."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from handlers.answers import Tagged
from handlers.effects import AnyEffect
from handlers.events import ButtonPressed, CommandUsed, MessagePosted, Person, Place, Role, Tenant
from handlers.forms import Form, form_for
from handlers.ports.cases import Appeal, Case, CaseFilter, CasePage, Decision, KnownBy, Link, LinkKind, Measure
from handlers.ports.channels import Posted, Setup
from handlers.ports.extraction import RESULT_GONE, FoundResult, StoredExtraction
from handlers.ports.generation import Budget
from handlers.ports.moderation import Counted, PolicyVersion
from handlers.ports.services import Services
from pipelines.content import Attachment, Content, Gap, ImagePart, Intake, Part, Reading, TextPart, may_be_picture
from pipelines.errors import Misconfigured, UserError
from pipelines.extraction.schema import Schema
from pipelines.generation.turns import Turns
from pipelines.media.originals import Original
from pipelines.media.pictures.measures import Measures
from pipelines.moderation.learning import Outcome, Reviewed
from pipelines.moderation.lists import Entry, Hash, entry_id
from pipelines.moderation.memory import NO_MEMORY
from pipelines.moderation.policies import parse, preset
from pipelines.moderation.policy import Action, Channel, ChannelPolicy, Policy, Quota
from pipelines.moderation.report import Category, Finding
from pipelines.moderation.verdict import Decided, Verdict
from pipelines.ports import Call, Document, Mark, Memory, Question, Reply, Shape, Task
from pipelines.ports import Known as KnownContent
from tests.making import ListedJobs, ListedWishes, ScriptedMaker

GENERAL = Place(platform="test", workspace="w1", channel="general")
ADA = Person(id="ada", name="Ada")
MO = Person(id="mo", name="Mo", role=Role.MODERATOR)
GRACE = Person(id="grace", name="Grace", role=Role.ADMIN)
OLGA = Person(id="olga", name="Olga", role=Role.OPERATOR)


def a_picture(name: str = "cat.jpg") -> Attachment:
    return Attachment(id=name, url=f"test:{name}", name=name, media_type="image/jpeg", size_bytes=3)


def a_message(text: str = "hello", *attachments: Attachment, mentions_us: bool = False, key: str = "test:m1") -> MessagePosted:
    return MessagePosted(
        key=key,
        place=GENERAL,
        author=ADA,
        message="m1",
        text=text,
        attachments=attachments,
        mentions_us=mentions_us,
    )


def an_image_part(id: str = "file:0") -> ImagePart:
    return ImagePart(id=id, data=b"jpg", media_type="image/jpeg", width_px=4, height_px=4)


def parts(*ids: str) -> Intake:
    """Return an intake of texts and pictures by id."""
    return Intake(
        parts=tuple(
            TextPart(id=id, text="what Ada wrote", role="message") if id.startswith("text") else an_image_part(id) for id in ids
        )
    )


def a_judgement(question: Question[Any], **opinions: tuple[int, float] | tuple[int, float, str]) -> dict[str, Any]:
    """Return a complete answer about every part; `hate=(3, 0.9)` sets severity and confidence, a third value the kind."""

    def opinion(name: str) -> dict[str, Any]:
        severity, confidence, kind = (*opinions.get(name, (0, 0.99)), "")[:3]
        seen = severity > 0
        return {
            "kind": kind,
            "severity": severity,
            "confidence": confidence,
            "evidence": "seen" if seen else "",
            "place": question.parts[0].id if seen else "",
        }

    return {
        "nonce": question.nonce,
        "parts": [part.id for part in question.parts],
        "categories": {each.value: opinion(each.value) for each in Category if each is not Category.TAMPERING},
        "tampering": opinion("tampering"),
        "own": [],
    }


TAGS = {
    "subjects": ["cat"],
    "style": "photograph",
    "mood": "calm",
    "technical_quality": {"sharpness": "good", "exposure": "good", "contrast": "good", "noise": "low"},
    "colours": ["grey"],
    "text": "",
    "alt_text": "A grey cat on a sofa.",
    "tags": ["cat", "sofa"],
}


def a_draft(question: Question[Any], **said: str) -> dict[str, Any]:
    """Return a whole brief, in which the prompt is the wish and one word more."""
    wish = next((part.text for part in question.parts if isinstance(part, TextPart)), "the same")
    fields = {
        "subject": "it",
        "style": "plain",
        "mood": "calm",
        "technical": "soft light",
        "avoid": "",
        "prompt": f"{wish}, lit",
    }
    return {"nonce": question.nonce, "seen": "word " * 60, **fields, **said}


def a_comparison(question: Question[Any], score: float = 8, **said: str) -> dict[str, Any]:
    """Return a whole comparison of everything that was made."""
    fields = {"missing": "", "broken": "", "caption": "It.", "alt_text": "A grey cat.", "transcript": "", "repaired_prompt": ""}
    return {"nonce": question.nonce, "parts": [part.id for part in question.parts], "score": score, **fields, **said}


Script = dict[str, Any] | Reply[Any] | Callable[[Question[Any]], dict[str, Any]]


@dataclass
class ScriptedModel:
    """Answers questions from `answers`, in order; a check that fails ends as a bad answer, as with a real model.

    When the bigger model is asked, `escalated` is answered, else what was answered last. `by_task` comes before `answers`.
    """

    answers: list[Script] = field(default_factory=list)
    escalated: list[Script] = field(default_factory=list)
    questions: list[Question[Any]] = field(default_factory=list)
    by_task: dict[Task, list[Script]] = field(default_factory=dict)
    _last: Script = field(default_factory=dict)

    def profile(self, task: Task) -> str:
        return f"scripted-{task}"

    async def ask(self, question: Question[Shape]) -> Reply[Shape]:
        self.questions.append(question)
        if scripts := self.by_task.get(question.task):
            script = scripts.pop(0)
        elif question.task == "escalation":
            script = self.escalated.pop(0) if self.escalated else self._last
        else:
            script = self._last = self.answers.pop(0) if self.answers else self._usual
        if isinstance(script, Reply):
            return script
        output = question.shape.model_validate(script(question) if callable(script) else script)
        call = Call(model="scripted-1", outcome="ok", input_tokens=10, output_tokens=5)
        if question.check(output) is not None:
            return Reply(outcome="bad_answer", reason="check", calls=(call,))
        return Reply(outcome="ok", output=output, calls=(call,))

    @staticmethod
    def _usual(question: Question[Any]) -> dict[str, Any]:
        match question.task:
            case "tagging":
                return TAGS
            case "brief":
                return a_draft(question)
            case "quality":
                return a_comparison(question)
            case _:
                return a_judgement(question)

    def judges(self, **opinions: Any) -> "ScriptedModel":
        self.answers.append(lambda question: a_judgement(question, **opinions))
        return self


@dataclass
class PlainMedia:
    """Every text is one part and every file one picture, save those whose name says otherwise (`broken…`, `documents`)."""

    seen: list[Content] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    measures: Measures | None = None
    readings: tuple[Reading, ...] = ()

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = 0) -> Intake:
        self.seen.append(content)
        made: list[Part] = [TextPart(id="text:0", text=content.text, role="message")] if content.text else []
        gaps: list[Gap] = []
        for position, attachment in enumerate(content.attachments):
            if attachment.name.startswith("broken"):
                gaps.append(Gap(place=f"file:{position}", kind="unreadable", why="This file is damaged."))
            else:
                made.append(an_image_part(f"file:{position}"))
        return Intake(parts=tuple(made), gaps=tuple(gaps), readings=self.readings)

    async def document(self, attachment: Attachment, *, fine: bool = False) -> Document:
        if known := self.documents.get(attachment.name):
            return known
        return Document(intake=await self.intake(Content(text="", attachments=(attachment,)), fine=fine))

    async def marked_page(self, attachment: Attachment, *, page: int, marks: Sequence[Mark]) -> bytes:
        return f"{attachment.name} {page} {len(marks)}".encode()

    async def measure(self, picture: ImagePart) -> Measures | None:
        return self.measures

    async def original(self, data: bytes, *, side_px: int, size_bytes: int) -> Original:
        return Original(data=data, media_type="image/png", size_px=(4, 4), posted_px=(4, 4))

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        return data


@dataclass
class ListedFiles:
    """Files by address."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return self.files[attachment.url]


@dataclass
class ListedChannels:
    posted: list[Posted] = field(default_factory=list)
    copies: list[Posted] = field(default_factory=list)
    known: dict[str, Channel] = field(default_factory=dict)
    empty: bool = False  # whether messages that are not in `posted` are gone
    real: bool = False
    chooses: bool = True
    threads: bool = False  # whether they are channels
    secret: frozenset[str] = frozenset()  # channels that nobody who asks can read
    links: dict[str, Posted] = field(default_factory=dict)
    largest: int = 10_000_000  # bytes of a file that can be posted
    can: frozenset[Action] = frozenset(action for action in Action if action.strength <= Action.REMOVE.strength)

    def emulated(self, tenant: Tenant) -> bool:
        return not self.real

    def supports(self, tenant: Tenant) -> frozenset[Action]:
        return self.can

    def chooses_channels(self, tenant: Tenant) -> bool:
        return self.chooses

    def threads_are_channels(self, tenant: Tenant) -> bool:
        return self.threads

    async def message(self, place: Place, message: str) -> Posted | None:
        return next(
            (each for each in self.posted if each.message == message), None if self.empty else self._other(place, message)
        )

    @staticmethod
    def _other(place: Place, message: str) -> Posted:
        return Posted(place=place, message=message, author=ADA, content=Content(text="something else"))

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        having = (each for each in reversed(self.posted) if each.content.attachments)
        return next((each for each in having if not pictures or any(map(may_be_picture, each.content.attachments))), None)

    async def channel(self, place: Place) -> Channel:
        return self.known.get(place.channel, Channel(platform=place.platform, id=place.channel, name=place.channel))

    def upload_limit(self, place: Place) -> int:
        return self.largest

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        return self.links.get(address)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return next((each for each in self.copies if each.message == message), None)

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        return channels - self.secret

    async def role(self, tenant: Tenant, person: str) -> Role:
        return next((each.role for each in (ADA, MO, GRACE, OLGA) if each.id == person), Role.MEMBER)


@dataclass
class FixedPolicy:
    policy: Policy = field(default_factory=cache(preset))  # frozen, and slow to read
    saved: list[PolicyVersion] = field(default_factory=list)

    async def for_place(self, place: Place) -> ChannelPolicy:
        return self.policy.at(Channel(platform=place.platform, id=place.channel, name=place.channel))

    async def current(self, tenant: Tenant) -> PolicyVersion:
        return self.saved[-1] if self.saved else PolicyVersion(number=0, policy=self.policy, text="version: 1\n")

    async def versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        return (*reversed(self.saved), PolicyVersion(number=0, policy=self.policy, text="version: 1\n"))

    async def by_fingerprint(self, tenant: Tenant, fingerprint: str) -> PolicyVersion | None:
        those = [each for each in await self.versions(tenant) if not each.trouble and each.policy.fingerprint == fingerprint]
        return those[0] if those else None

    async def save(self, tenant: Tenant, text: str, *, by: Person, event: str, based_on: int | None = None) -> PolicyVersion:
        try:
            policy = parse(text, source="the policy")
        except Misconfigured as error:
            raise UserError(str(error)) from error
        if based_on is not None and based_on != len(self.saved):
            raise UserError(f"Somebody changed the policy meanwhile: version {len(self.saved)} holds.")
        version = PolicyVersion(number=len(self.saved) + 1, policy=policy, text=text, author=by.name)
        self.saved.append(version)
        self.policy = version.policy
        return version


@dataclass
class KeptSetups:
    """One set-up, of whichever workspace."""

    setup: Setup = field(default_factory=Setup)

    async def of(self, tenant: Tenant) -> Setup:
        return self.setup

    async def save(self, tenant: Tenant, setup: Setup) -> None:
        self.setup = setup


@dataclass
class ListedAudit:
    """The links of whichever workspace."""

    links: list[Link] = field(default_factory=list)

    async def record(self, tenant: Tenant, *links: Link) -> None:
        self.add(*links)

    async def of_case(self, tenant: Tenant, case: str) -> tuple[Link, ...]:
        return tuple(each for each in self.links if each.case == case)

    async def since(self, tenant: Tenant, moment: datetime, *kinds: LinkKind) -> tuple[Link, ...]:
        return tuple(each for each in self.links if each.kind in kinds and each.at and each.at >= moment)

    def add(self, *links: Link) -> None:
        for each in links:
            if not self.has(each.key):
                self.links.append(replace(each, seq=len(self.links) + 1, at=datetime.now(UTC)))

    def has(self, key: str) -> bool:
        return any(each.key == key for each in self.links)

    def facts(self, kind: LinkKind) -> list[dict[str, Any]]:
        return [dict(each.facts) for each in self.links if each.kind == kind]


@dataclass
class ListedCases:
    """`cards`: the message of each effect that is seen, by its key. `revised`: the cases that were judged again.
    `under_way`: keys of events on which work has not ended.

    Its links go into `audit`. What is decided is taken to be carried out at once.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    revised: list[str] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    audit: ListedAudit = field(default_factory=ListedAudit)

    async def open(
        self,
        event: MessagePosted,
        verdict: Verdict,
        *,
        action: Action,
        shadow: bool,
        state: Literal["open", "reported"] = "open",
        quota: Quota | None = None,
        raid: str = "",
        known_by: Sequence[KnownBy] = (),
        keep_days: int = 365,
    ) -> Case:
        taken_out = sum(each.action.takes_down and not each.shadow for each in self.cases.values())
        over = quota is not None and action.takes_down and taken_out >= quota.remove_per_hour
        first = over and not any(each.over_quota for each in self.cases.values())
        heaviest = max(verdict.findings, key=lambda each: (each.severity, each.confidence), default=None)
        about = await self.of_message(event.place.tenant, event.place.channel, event.message)
        private = not verdict.keep_copy or any(each.private for each in about)
        out = action.takes_down and not over and not shadow and state == "open"
        case = Case(
            id=f"case-{event.key}",
            place=event.place,
            message=event.message,
            author=event.author,
            verdict=verdict,
            action=Action.FLAG if over else action,
            shadow=shadow,
            state=state,
            over_quota=over,
            raid=raid,
            event=event.key,
            at=datetime.now(UTC),
            category=heaviest.category if heaviest else "",
            known_by=() if private else tuple(known_by),
            names={event.author.id: event.author.name},
            out_since=datetime.now(UTC) if out else None,
            private=private,
        )
        if case.id not in self.cases:
            self.cases[case.id] = case
            self._spread(case)
        self.audit.add(self._link(case, event.key, "opened", None, state=state, action=case.action.value))
        return replace(self.cases[case.id], first_over_quota=first)

    async def strikes(self, tenant: Tenant, person: str, *, days: int, apart_from: str) -> int:
        theirs = [each for each in self.cases.values() if each.author.id == person and each.id != f"case-{apart_from}"]
        return sum(map(_is_strike, theirs))

    async def strikes_of(self, tenant: Tenant, persons: Collection[str], *, days: int) -> dict[str, int]:
        return dict(Counter(each.author.id for each in self.cases.values() if each.author.id in persons and _is_strike(each)))

    async def judged_again(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action | None = None, quota: Quota | None = None
    ) -> Case:
        known = self.cases[case]
        self.revised.append(case)
        if known.undecided and known.verdict.waits_for_model:
            self._revise(known, verdict, action or known.action)
        return self.cases[case]

    async def join(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action, raid: str, quota: Quota | None = None
    ) -> Case:
        self._revise(self.cases[case], verdict, action, raid=raid)
        return self.cases[case]

    async def of_raid(self, tenant: Tenant, raid: str) -> tuple[Case, ...]:
        return tuple(each for each in self.cases.values() if each.raid == raid)

    async def shown(self, tenant: Tenant, effect: str) -> str | None:
        return self.cards.get(effect)

    async def is_under_way(self, tenant: Tenant, event: str) -> bool:
        return event in self.under_way

    async def find(self, tenant: Tenant, case: str) -> Case | None:
        return self.cases.get(case)

    async def of_message(self, tenant: Tenant, channel: str, message: str) -> tuple[Case, ...]:
        return tuple(each for each in self.cases.values() if (each.place.channel, each.message) == (channel, message))

    async def decide(
        self, tenant: Tenant, case: str, *, decision: Decision, by: Person, event: str, right_category: str = ""
    ) -> tuple[Case, bool]:
        found = self._find(case)
        if found.undecided and not self._done(case, event, "decided"):
            appeal = found.appeal
            if appeal and appeal.state == "open" and decision in ("restored", "dismissed"):
                appeal = replace(appeal, state="granted", decided_by=by.name, decided_by_id=by.id)
                self.audit.add(self._link(found, event, "appeal_decided", by, granted=True))
            found = replace(self._decided(found, decision, by, event), right_category=right_category, appeal=appeal)
            found = replace(found, private=found.private or right_category == Category.CHILD_SAFETY)
            self._change(found, event, "decided", by, decision=decision, right_category=right_category)
        return self.cases[case], self.cases[case].decided_event == event

    async def undo(self, tenant: Tenant, case: str, *, decided_event: str, by: Person, event: str) -> tuple[Case, bool]:
        found = self._find(case)
        if self._done(case, event, "undone"):
            return found, True
        appeal, with_it = found.appeal, self._done(case, decided_event, "appeal_decided")
        later = appeal is not None and appeal.state != "open" and not with_it
        if not found.decided_event or found.decided_event != decided_event or later:
            return found, False
        if appeal and with_it:
            appeal = replace(appeal, state="open", decided_by="", decided_by_id="")
        opened = next(each for each in self.audit.links if each.kind == "opened" and each.case == case)
        again = replace(found, state=opened.facts["state"], decided_by="", decided_by_id="", decided_event="", decided_at=None)
        if found.state in ("restored", "removed"):
            again = replace(again, out_since=datetime.now(UTC) if found.state == "restored" else None)
        self._change(replace(again, right_category="", appeal=appeal), event, "undone", by, decision=found.state)
        return self.cases[case], True

    async def measure(
        self,
        tenant: Tenant,
        case: str,
        *,
        measure: Measure,
        by: Person,
        event: str,
        lift: bool = False,
        until: datetime | None = None,
    ) -> tuple[Case, bool]:
        found = self._find(case)
        if self._done(case, event, "measure"):
            return found, True
        ended = measure == "timeout" and found.silent_until is not None and found.silent_until <= datetime.now(UTC)
        if (measure in found.measures) is not lift and (lift or not ended):
            return found, False
        left = tuple(each for each in found.measures if each != measure)
        found = replace(found, measures=left if lift else (*left, measure))
        if measure == "timeout":
            found = replace(found, silent_until=None if lift else until)
        self._change(found, event, "measure", by, measure=measure, lift=lift)
        return self.cases[case], True

    async def appeal(self, tenant: Tenant, case: str, *, text: str, by: Person, event: str) -> tuple[Case, bool]:
        found = self._find(case)
        if found.appeal:
            return found, self._done(case, event, "appealed")
        self._change(replace(found, appeal=Appeal(text=text, at=datetime.now(UTC))), event, "appealed", by)
        return self.cases[case], True

    async def decide_appeal(self, tenant: Tenant, case: str, *, granted: bool, by: Person, event: str) -> tuple[Case, bool]:
        found = self._find(case)
        if found.appeal is None:
            raise UserError("Nobody has appealed in this case.")
        if found.appeal.state != "open":
            return found, self._done(case, event, "appeal_decided")
        state: Literal["granted", "denied"] = "granted" if granted else "denied"
        appeal = replace(found.appeal, state=state, decided_by=by.name, decided_by_id=by.id)
        if granted:
            found = self._decided(found, "restored" if found.out else "dismissed", by, event)
        elif found.undecided:
            found = self._decided(found, "kept", by, event)
        self._change(replace(found, appeal=appeal), event, "appeal_decided", by, granted=granted)
        return self.cases[case], True

    async def claim(self, tenant: Tenant, case: str, *, by: Person, until: datetime | None) -> Case:
        found = self._find(case)
        held = found.claimed_until is not None and found.claimed_until > datetime.now(UTC)
        if not held or found.claimed_by == by.id:
            self.cases[case] = replace(found, claimed_by=by.id if until else "", claimed_until=until)
        return self.cases[case]

    async def mark_gone(self, tenant: Tenant, case: str, *, by: str, event: str) -> Case:
        found = self._find(case)
        if not found.gone:
            self._change(replace(found, gone=True), event, "gone", None, by=by)
        return self.cases[case]

    async def page(self, tenant: Tenant, wanted: CaseFilter, *, limit: int, after: str = "") -> CasePage:
        fits = [each for each in self.cases.values() if _fits(each, wanted)]
        waiting = sorted((each for each in fits if _waits(each)), key=lambda each: (not each.verdict.urgent, each.at, each.id))
        others = sorted((each for each in fits if not _waits(each)), key=lambda each: (each.at, each.id), reverse=True)
        rest = [*waiting, *others]
        start = next((number + 1 for number, each in enumerate(rest) if each.id == after), 0)
        shown = rest[start : start + limit]
        more = len(rest) > start + limit
        return CasePage(cases=tuple(shown), total=len(rest), after=shown[-1].id if more else "")

    async def waiting(self) -> tuple[tuple[Tenant, int, datetime], ...]:
        since: dict[Tenant, list[datetime]] = {}
        for each in filter(_waits, self.cases.values()):
            at = each.at if each.undecided or each.appeal is None else each.appeal.at
            since.setdefault(each.place.tenant, []).append(at)
        return tuple((tenant, len(moments), min(moments)) for tenant, moments in since.items())

    async def reviewed(self, tenant: Tenant, *, since: datetime | None = None, limit: int = 5_000) -> tuple[Reviewed, ...]:
        newest = sorted(self.cases.values(), key=lambda each: (each.at, each.id), reverse=True)
        return tuple(_reviewed(each) for each in newest if since is None or each.at >= since)[:limit]

    def _find(self, case: str) -> Case:
        if case not in self.cases:
            raise UserError("There is no such case here (any more).")
        return self.cases[case]

    def _done(self, case: str, event: str, kind: LinkKind) -> bool:
        return self.audit.has(f"{event}!{kind}:{case}")

    def _revise(self, case: Case, verdict: Verdict, action: Action, **changes: Any) -> None:
        out_since = case.out_since
        if out_since is None and action.takes_down and not case.shadow and action is not case.action:
            out_since = datetime.now(UTC)
        private = case.private or not verdict.keep_copy
        revised = replace(case, verdict=verdict, action=action, out_since=out_since, private=private, **changes)
        self.cases[case.id] = revised
        self._spread(revised)

    def _spread(self, case: Case) -> None:
        """Have all cases about a private message know none of its files."""
        if case.private:
            for each in list(self.cases.values()):
                if (each.place.channel, each.message) == (case.place.channel, case.message):
                    self.cases[each.id] = replace(each, private=True, known_by=())

    def _decided(self, case: Case, decision: Decision, by: Person, event: str) -> Case:
        if decision in ("restored", "removed"):
            case = replace(case, out_since=case.out_since or datetime.now(UTC) if decision == "removed" else None)
        return replace(
            case,
            state=decision,
            decided_by=by.name,
            decided_by_id=by.id,
            decided_event=event,
            decided_at=datetime.now(UTC),
        )

    def _change(self, case: Case, event: str, kind: LinkKind, actor: Person | None, /, **facts: Any) -> None:
        names = {**case.names, **({actor.id: actor.name} if actor else {})}
        self.cases[case.id] = replace(case, version=case.version + 1, names=names)
        self._spread(case)
        self.audit.add(self._link(case, event, kind, actor, **facts))

    def _link(self, case: Case, event: str, kind: LinkKind, actor: Person | None, /, **facts: Any) -> Link:
        return Link(
            key=f"{event}!{kind}:{case.id}",
            kind=kind,
            facts=facts,
            case=case.id,
            subject=case.author.id,
            actor=actor.id if actor else "",
        )


def _is_strike(case: Case) -> bool:
    if case.shadow or case.verdict.distress or case.state in ("restored", "dismissed"):
        return False
    kept = case.state == "kept" and case.verdict.strikes == "if_kept"
    return kept or case.state == "removed" or case.verdict.strikes == "at_once"


def _waits(case: Case) -> bool:
    return case.undecided or (case.appeal is not None and case.appeal.state == "open")


def _fits(case: Case, wanted: CaseFilter) -> bool:
    return all(
        (
            wanted.waiting is None or _waits(case) is wanted.waiting,
            wanted.appealed is None or (case.appeal is not None) is wanted.appealed,
            wanted.category in ("", case.category),
            wanted.channel in ("", case.place.channel),
            wanted.author in ("", case.author.id),
            wanted.decided_by in ("", case.decided_by_id),
            wanted.mode is None or case.shadow is (wanted.mode == "shadow"),
            wanted.action in (None, case.action),
            wanted.since is None or case.at >= wanted.since,
        )
    )


def _reviewed(case: Case) -> Reviewed:
    decided = Decided(
        event=case.event,
        channel=Channel(platform=case.place.platform, id=case.place.channel, name=case.place.channel),
        exempt=False,
        findings=tuple(each.model_copy(update={"evidence": "", "place": ""}) for each in case.verdict.findings),
        incomplete=tuple(each.cause for each in case.verdict.incomplete),
        action=case.verdict.action,
        policy=case.verdict.policy,
        at=case.at,
    )
    outcome: Outcome = "upheld"
    if case.undecided:
        outcome = "open"
    elif case.state in ("restored", "dismissed"):
        outcome = "overturned"
    elif case.right_category not in ("", case.category):
        outcome = "other_category"
    return Reviewed(
        case=case.id,
        decided=decided,
        outcome=outcome,
        shadow=case.shadow,
        gone=case.gone,
        by_appeal=case.appeal is not None and case.appeal.state != "open",
    )


@dataclass
class ListedResults:
    """`found` is what every search finds. `changed`: (id, event) of every change."""

    saved: list[Tagged] = field(default_factory=list)
    seen: list[Attachment] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    kept: dict[str, StoredExtraction] = field(default_factory=dict)
    changed: list[tuple[str, str]] = field(default_factory=list)
    found: list[FoundResult] = field(default_factory=list)

    async def forget(self, tenant: Tenant, channel: str, message: str) -> None:
        self.forgotten.append(message)

    async def save_tags(
        self, place: Place, *, event: str, message: str, tagged: Sequence[Tagged], attachments: Sequence[Attachment] = ()
    ) -> None:
        self.saved.extend(tagged)
        self.seen.extend(attachments)

    async def save_extractions(self, *, event: str, extractions: Sequence[StoredExtraction]) -> None:
        self.kept.update({each.id: each for each in extractions})

    async def extraction(self, tenant: Tenant, id: str) -> StoredExtraction | None:
        known = self.kept.get(id)
        return known if known and known.place.tenant == tenant else None

    async def extractions(self, tenant: Tenant, id: str) -> tuple[StoredExtraction, ...]:
        return tuple(each for each in self.kept.values() if each.place.tenant == tenant and id in (each.id, each.batch))

    async def change(
        self, tenant: Tenant, id: str, change: Callable[[StoredExtraction], StoredExtraction], *, event: str
    ) -> StoredExtraction:
        known = await self.extraction(tenant, id)
        if known is None:
            raise UserError(RESULT_GONE)
        if (id, event) not in self.changed:
            self.kept[id] = change(known)
            self.changed.append((id, event))
        return self.kept[id]

    async def find(self, tenant: Tenant, words: str, *, limit: int, after: int = 0) -> tuple[FoundResult, ...]:
        return tuple(self.found[after : after + limit])


@dataclass
class ListedSchemas:
    """The newest version of each schema, of whichever workspace."""

    schemas: dict[str, Schema] = field(default_factory=dict)

    async def of(self, tenant: Tenant) -> tuple[Schema, ...]:
        return tuple(self.schemas.values())

    async def find(self, tenant: Tenant, name: str) -> Schema | None:
        return self.schemas.get(name)

    async def save(self, tenant: Tenant, schema: Schema, *, by: Person, event: str) -> Schema:
        before = self.schemas.get(schema.name)
        self.schemas[schema.name] = schema.model_copy(update={"version": before.version + 1 if before else 1})
        return self.schemas[schema.name]


@dataclass
class ListedLedger:
    calls: list[tuple[str, Call]] = field(default_factory=list)

    async def record(self, tenant: Tenant, *, event: str, task: str, calls: Sequence[Call]) -> None:
        self.calls.extend((task, call) for call in calls)


@dataclass
class ListedVerdicts:
    decided: list[Decided] = field(default_factory=list)

    async def record(self, event: MessagePosted, verdict: Verdict, *, channel: Channel, exempt: bool) -> None:
        self.decided.append(
            Decided(
                event=event.key,
                channel=channel,
                exempt=exempt,
                findings=tuple(each.model_copy(update={"evidence": "", "place": ""}) for each in verdict.findings),
                incomplete=tuple(each.cause for each in verdict.incomplete),
                action=verdict.action,
                policy=verdict.policy,
                at=datetime.now(UTC),
            )
        )

    async def newest(self, tenant: Tenant, *, limit: int) -> tuple[Decided, ...]:
        return tuple(reversed(self.decided))[:limit]


@dataclass
class ListedBanks:
    """What was denied; `known` is what every message turns out to be. `listed`: what people put on lists, by entry."""

    known: KnownContent = field(default_factory=KnownContent)
    denied: list[tuple[tuple[Reading, ...], Finding]] = field(default_factory=list)
    lifted: list[str] = field(default_factory=list)
    listed: dict[str, tuple[Literal["allow", "deny"], tuple[Hash, ...], Finding | None]] = field(default_factory=dict)
    counted: dict[str, Counted] = field(default_factory=dict)
    audit: ListedAudit = field(default_factory=ListedAudit)

    def of(self, tenant: Tenant) -> "ListedBanks":
        return self

    async def match(self, readings: tuple[Reading, ...]) -> KnownContent:
        return self.known

    async def deny(
        self, tenant: Tenant, readings: Sequence[Reading], *, finding: Finding, reason: str, until: datetime | None
    ) -> None:
        self.denied.append((tuple(readings), finding))

    async def lift(self, tenant: Tenant, *, reason: str) -> None:
        self.lifted.append(reason)

    async def put(
        self,
        tenant: Tenant,
        listed: Literal["allow", "deny"],
        hashes: Sequence[Hash],
        *,
        finding: Finding | None,
        reason: str,
        by: Person,
        event: str,
    ) -> str:
        if finding and finding.category == Category.CHILD_SAFETY:
            raise UserError("Hashes of child safety content are not kept here.")
        if not hashes:
            raise UserError("There is nothing to put on a list.")
        id = entry_id(listed, finding, reason, hashes)
        category = finding.category if finding else ""
        facts = {"entry": id, "listed": listed, "category": category, "hashes": len(hashes)}
        if not self.audit.has(key := f"{event}!listed:{id}"):
            self.listed[id] = (listed, tuple(hashes), finding)
            entry = Entry(id=id, listed=listed, category=category, reason=reason, by=by.name, at=datetime.now(UTC))
            self.counted[id] = Counted(entry=entry, hashes=Counter(each.kind for each in hashes))
            self.audit.add(Link(key=key, kind="listed", facts=facts, actor=by.id))
        return id

    async def take_off(self, tenant: Tenant, entry: str, *, by: Person, event: str) -> bool:
        key = f"{event}!unlisted:{entry}"
        if self.listed.pop(entry, None) is None:
            return self.audit.has(key)
        del self.counted[entry]
        self.audit.add(Link(key=key, kind="unlisted", facts={"entry": entry}, actor=by.id))
        return True

    async def entries(self, tenant: Tenant) -> tuple[Counted, ...]:
        return tuple(self.counted.values())


@dataclass
class NoMemories:
    def of(self, tenant: Tenant, *, days: int = 30) -> Memory:
        return NO_MEMORY


@dataclass
class ListedEarlier:
    parts: tuple[Part, ...] = ()
    noted: list[str] = field(default_factory=list)

    def before(self, event: MessagePosted) -> tuple[Part, ...]:
        return self.parts

    def note(self, event: MessagePosted, intake: Intake) -> None:
        self.noted.append(event.key)

    def forget(self, event: MessagePosted) -> None:
        self.noted.remove(event.key)


@dataclass
class ListedInvitations:
    invited: list[tuple[str, Role]] = field(default_factory=list)

    async def invite(self, tenant: Tenant, *, name: str, role: Role, event: str) -> str:
        self.invited.append((name, role))
        return "http://127.0.0.1:8321/enter#code"

    async def dashboard(self, tenant: Tenant, person: Person) -> str:
        self.invited.append((person.name, person.role))
        return "http://127.0.0.1:8321/enter#desk"


@dataclass
class Known:
    """All the fakes of one test, and the services made of them."""

    media: PlainMedia = field(default_factory=PlainMedia)
    files: ListedFiles = field(default_factory=ListedFiles)
    model: ScriptedModel = field(default_factory=ScriptedModel)
    channels: ListedChannels = field(default_factory=ListedChannels)
    policies: FixedPolicy = field(default_factory=FixedPolicy)
    setups: KeptSetups = field(default_factory=KeptSetups)
    cases: ListedCases = field(default_factory=ListedCases)
    results: ListedResults = field(default_factory=ListedResults)
    schemas: ListedSchemas = field(default_factory=ListedSchemas)
    ledger: ListedLedger = field(default_factory=ListedLedger)
    invitations: ListedInvitations = field(default_factory=ListedInvitations)
    verdicts: ListedVerdicts = field(default_factory=ListedVerdicts)
    banks: ListedBanks = field(default_factory=ListedBanks)
    memories: NoMemories = field(default_factory=NoMemories)
    earlier: ListedEarlier = field(default_factory=ListedEarlier)
    jobs: ListedJobs = field(default_factory=ListedJobs)
    wishes: ListedWishes = field(default_factory=ListedWishes)
    maker: ScriptedMaker | None = None
    budget: Budget = field(default_factory=Budget)
    turns: Turns = field(default_factory=Turns)
    audit: ListedAudit = field(default_factory=ListedAudit)

    def __post_init__(self) -> None:
        self.cases.audit = self.banks.audit = self.audit

    async def form(self, event: CommandUsed | ButtonPressed) -> Form | None:
        """Return the form that opens in place of `event`."""
        return await form_for(
            event,
            channels=self.channels,
            policies=self.policies,
            setups=self.setups,
            results=self.results,
            wishes=self.wishes,
            cases=self.cases,
        )

    @property
    def services(self) -> Services:
        return Services(
            media=self.media,
            files=self.files,
            model=self.model,
            channels=self.channels,
            policies=self.policies,
            setups=self.setups,
            cases=self.cases,
            results=self.results,
            schemas=self.schemas,
            ledger=self.ledger,
            invitations=self.invitations,
            verdicts=self.verdicts,
            banks=self.banks,
            memories=self.memories,
            earlier=self.earlier,
            jobs=self.jobs,
            wishes=self.wishes,
            audit=self.audit,
            generator=self.maker,
            budget=self.budget,
            turns=self.turns,
        )


def kinds(effects: Sequence[AnyEffect]) -> list[str]:
    return [effect.kind for effect in effects]

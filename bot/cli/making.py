"""`imagine` and `remix`: wishes thought through, judged, made, judged again, and laid into a folder. No chat, no records."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal
from uuid import uuid4

from bot.cli.ends import End, say_problem
from bot.cli.looking import Input, Seen, look_at, made_by, problem_of_input
from bot.cli.workshop import Attempts, Kit, MakingBar, bar_of, first_free, open_kit, save, stem_of
from bot.policies import own_policy
from bot.settings import Settings
from handlers.attachments import SIDES_PX, UNSENT, as_posted
from pipelines.content import ImagePart, Intake
from pipelines.errors import Refused, Unavailable, UserError
from pipelines.generation.asking import parse, written
from pipelines.generation.brief import write_brief
from pipelines.generation.checking import Checker, wish_intake, without_hidden_colours
from pipelines.generation.failures import REJECTIONS, FailureKind, GenerationFailed
from pipelines.generation.make import Checked, Making
from pipelines.generation.options import in_format_of, model_for, order_of, refuse_unspoken
from pipelines.generation.permission import permission
from pipelines.generation.quality import POOR_BELOW
from pipelines.generation.styles import STYLES
from pipelines.generation.wish import Brief, MakerJob, MakerModel, Operation, Order, Wish, is_thought_through
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import ChannelPolicy, everywhere
from pipelines.ports import UNDERSTUDY

# `shown`: only its prompt, as was asked for. `partly`: some of it was not made. `poor`: it does not fit the wish.
Status = Literal["made", "shown", "partly", "poor", "refused", "failed"]

# After these it is certain that nothing was charged, so that whoever asks again pays once.
_AGAIN: Final[frozenset[FailureKind]] = REJECTIONS | {"credits"}
# Where the words for members would send somebody to the operator, who sits here.
_HERE: Final[dict[FailureKind, str]] = {
    "auth": "The maker does not accept MODELSLAB_API_KEY. flashbulb doctor says what to do about it.",
    "credits": "The maker says that there is no credit left. Add some at https://modelslab.com.",
}
NOT_JUDGED: Final = "What was made could not be judged, so it is not shown. It may have been charged."
NOT_SAVED: Final = "It was made, but cannot be saved in {folder} ({why}). It may have been charged."
MAY_BE_CHARGED: Final = "What the maker had begun may still be charged, and is not kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is said beside the words: options by their names in a wish (None: not given), and where the files go."""

    options: Mapping[str, str | None]
    raw: bool = False
    show: bool = False
    out: Path = Path()

    def read(self, words: str, *, operation: Operation) -> Wish:
        """Return the wish, read as it would be in a chat. Raises: `UserError`."""
        given = {name: value for name, value in self.options.items() if value is not None}
        avoid = given.pop("no", None)
        text = [words, *(f"--{name}={''.join(value.split())}" for name, value in given.items())]
        text += [f"--{name}" for name, on in (("raw", self.raw), ("show", self.show)) if on]
        text += [f"--no {avoid}"] if avoid is not None else []
        return parse(" ".join(text), operation=operation)


async def imagine(prompts: Sequence[str], settings: Settings, show: Callable[[Seen], None], *, wanted: Wanted) -> End:
    """Make what is wished for in words; `show` gets what came of each wish, in order."""
    inputs = [Input(given=each, path=None) for each in prompts]
    return await _make(inputs, lambda each: wanted.read(each.given, operation="imagine"), settings, show, out=wanted.out)


async def remix(file: str, words: str, settings: Settings, show: Callable[[Seen], None], *, wanted: Wanted) -> End:
    """Make something of a picture; `words` say what, or name a style."""

    def read(each: Input) -> Wish:
        if each.given.lower().startswith(("http://", "https://")):
            raise UserError("Addresses are not fetched here. Save the picture to a file and name that.")
        if problem := problem_of_input(each):
            raise UserError(problem)
        style = next((style.name for style in STYLES if style.name == words.strip().casefold()), None)
        return wanted.read(f"--style={style}" if style else words, operation="restyle")

    return await _make([Input(given=file, path=Path(file))], read, settings, show, out=wanted.out)


async def _make(
    inputs: Sequence[Input],
    read: Callable[[Input], Wish],
    settings: Settings,
    show: Callable[[Seen], None],
    *,
    out: Path,
) -> End:
    wishes: dict[Input, Wish] = {}
    problems: dict[Input, str] = {}
    for each in inputs:
        try:
            wishes[each] = read(each)
        except UserError as error:
            problems[each] = str(error)
    policy = everywhere(own_policy(settings))
    bar = bar_of(sum(wishes[each].count for each in inputs if each in wishes))
    works: list[_Work] = []
    told: list[Seen] = []

    def tell(seen: Seen) -> None:
        show(seen)
        told.append(seen)

    async def look(each: Input, kit: Kit) -> Seen:
        work = _Work(input=each, wish=wishes[each], kit=kit, policy=policy, out=out, bar=bar)
        works.append(work)
        return await work.do()

    try:
        return await look_at(inputs, look, open_kit(settings, out), tell, problem_of=problems.get, bar=bar.shown())
    except asyncio.CancelledError:
        untold = [work for work in works if not any(seen.input is work.input for seen in told)]
        if saved := [str(path) for work in untold for path in work.saved]:
            say_problem(f"Saved already: {', '.join(saved)}")
        if any(work.is_under_way for work in works):
            say_problem(MAY_BE_CHARGED)
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One thing that was made, and where it lies."""

    path: Path
    checked: Checked
    prompt: str

    @property
    def document(self) -> dict[str, Any]:
        return {"file": str(self.path), **_described(self.checked)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """One thing that is not there, and why."""

    why: str
    end: End
    refused: bool = False


@dataclass(slots=True, kw_only=True)
class _Work:
    """One wish while it is being made."""

    input: Input
    wish: Wish
    kit: Kit
    policy: ChannelPolicy
    out: Path
    bar: MakingBar
    name: str = field(default_factory=lambda: uuid4().hex)
    judge: str = "none"
    saved: list[Path] = field(default_factory=list)
    _attempts: dict[int, Attempts] = field(default_factory=dict)
    _ended_at: set[int] = field(default_factory=set)
    _began: float = field(default_factory=monotonic)

    @property
    def is_under_way(self) -> bool:
        """Whether something may have been charged that is not in its folder."""
        charges = self.kit.generator.name != UNDERSTUDY
        return charges and any(attempts.paid for at, attempts in self._attempts.items() if at not in self._ended_at)

    async def do(self) -> Seen:
        """Think the wish through, judge it, have it made, and return what came of it.

        Raises: `UserError` with what is in the way, `Unavailable` or `BadAnswer` when no model has an answer.
        """
        for at in self._positions:
            self.bar.note(self._thing(at), "waiting")
        try:
            return await self._done()
        finally:
            for at in self._positions:
                self.bar.note(self._thing(at), "done")

    async def _done(self) -> Seen:
        model = model_for(self.wish, self.kit.generator.models)
        source = await self._source()
        try:
            brief = await write_brief(self.wish, model=self.kit.model, source=source, calls=[])
        except Refused as error:
            return self._ended("refused", End.FOUND, model, reasons=[str(error)])
        refuse_unspoken(self.wish, brief, model)
        verdict, _ = await moderate(wish_intake(self.wish, brief, source), policy=self.policy, model=self.kit.model)
        self.judge = verdict.engine
        if verdict.waits_for_model:
            raise Unavailable("The model", "does not judge the wish")
        through = is_thought_through(self.wish, brief)
        allowed = permission(verdict, self.policy, of_somebody=source is not None, thought_through=through)
        if allowed.refusal:
            return self._ended("refused", End.FOUND, model, prompt=brief.prompt, reasons=[allowed.refusal])
        if self.wish.show_first:
            return self._ended("shown", End.DONE, model, prompt=brief.prompt, jobs=self.wish.count)
        return self._summed_up(await self._make_all(brief, model, source), brief, model)

    async def _source(self) -> Intake | None:
        """Return the picture that the wish begins with: upright, at most 1024 px, without metadata."""
        if self.input.path is None:
            return None
        intake = await self.kit.media.intake(self.input.content)
        if not any(isinstance(part, ImagePart) for part in intake.parts):
            raise UserError(
                intake.gaps[0].why if intake.gaps else "There is no picture in this file. Choose one with a picture."
            )
        return intake

    async def _brought(self, source: Intake) -> str:
        """Lay the picture where the maker can read it: as it is where that counts, else as it was judged."""
        if self.wish.operation in SIDES_PX and self.input.path is not None:
            data = await asyncio.to_thread(self.input.path.read_bytes)
            original = await as_posted(data, self.wish.operation, self.kit.media)
            return await self.kit.generator.bring(original.data, original.media_type)
        picture = next(part for part in source.parts if isinstance(part, ImagePart))
        return await self.kit.generator.bring(picture.data, picture.media_type)

    async def _make_all(self, brief: Brief, model: MakerModel, source: Intake | None) -> list[_Made | _Failed]:
        try:
            address = await self._brought(source) if source and self.wish.operation not in UNSENT else ""
        except GenerationFailed as failure:
            return [_failed(failure)] * self.wish.count
        stem = self._stem(brief)
        first = await asyncio.to_thread(first_free, self.out, stem)
        asked = in_format_of(source, self.wish) if source else self.wish
        orders = [order_of(asked, brief, model, position=at).model_copy(update={"source": address}) for at in self._positions]
        found = await asyncio.gather(
            *(self._one(at, brief, model, each, stem, first + at - 1) for at, each in enumerate(orders, start=1)),
            return_exceptions=True,
        )
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return [each for each in found if not isinstance(each, BaseException)]

    async def _one(self, at: int, brief: Brief, model: MakerModel, order: Order, stem: str, number: int) -> _Made | _Failed:
        """Make one thing and save it."""
        attempts = self._attempts[at] = Attempts(self.kit.slots, self.kit.files, f"{self.name}:{at}")
        try:
            checked = await self._checked(at, attempts, brief, order)
        except GenerationFailed as failure:
            ended: _Made | _Failed = _failed(failure)
        except Unavailable:
            ended = _Failed(why=NOT_JUDGED, end=End.FOUND)
        else:
            if checked.refusal:
                ended = _Failed(why=checked.refusal, end=End.FOUND, refused=True)
            else:
                ended = self._save(checked, attempts, model, stem, number)
        self._ended_at.add(at)
        self.bar.note(self._thing(at), "done")
        return ended

    def _save(self, checked: Checked, attempts: Attempts, model: MakerModel, stem: str, number: int) -> _Made | _Failed:
        """Lay one thing into the folder. It takes a moment, in which nobody can stop us halfway."""
        data, prompt = self.kit.files.made[attempts.address(checked.attempt)], attempts.prompts[checked.attempt]
        about = self._about(checked, prompt, model, attempts.paid)
        try:
            path = save(data, about, folder=self.out, stem=stem, number=number, step=self.wish.count)
        except OSError as error:
            return _Failed(why=NOT_SAVED.format(folder=self.out, why=error.strerror or type(error).__name__), end=End.FOUND)
        self.saved.append(path)
        return _Made(path=path, checked=checked, prompt=prompt)

    async def _checked(self, at: int, attempts: Attempts, brief: Brief, order: Order) -> Checked:
        making = Making(
            generator=self.kit.generator,
            attempts=attempts,
            check=partial(self._check, attempts, brief),
            may_repeat=_always,
            name=attempts.name,
            on_submit=partial(self.bar.note, self._thing(at), "making"),
            on_check=partial(self.bar.note, self._thing(at), "checking"),
            tidied=partial(without_hidden_colours, self.kit.media) if self.wish.operation == "cutout" else None,
        )
        return await making.make(order, first=0)

    async def _check(self, attempts: Attempts, brief: Brief, attempt: int, job: MakerJob, prompt: str) -> Checked:
        attempts.prompts[attempt] = prompt
        checker = Checker(
            wish=self.wish,
            brief=brief,
            policy=self.policy,
            of_somebody=self.input.path is not None,
            media=self.kit.media,
            model=self.kit.model,
        )
        try:
            return await checker.check(attempts.attachment(attempt), attempt=attempt, prompt=prompt)
        except Unavailable as error:
            if len(attempts.prompts) == 1:
                raise
            raise GenerationFailed("failed") from error  # an earlier one was looked over, and is there to be shown

    # --- What came of it ---------------------------------------------------------------------------------------------------

    def _summed_up(self, found: Sequence[_Made | _Failed], brief: Brief, model: MakerModel) -> Seen:
        made = [each for each in found if isinstance(each, _Made)]
        failed = [each for each in found if isinstance(each, _Failed)]
        status: Status = "partly" if made and failed else "made"
        end = End.FOUND if failed else End.DONE
        if not made:
            status = "refused" if any(each.refused for each in failed) else "failed"
            # Who asks again for all of it shall not pay for a part of it twice.
            end = failed[0].end if len({each.end for each in failed}) == 1 else End.FOUND
        elif not failed and any(each.checked.score is not None and each.checked.score < POOR_BELOW for each in made):
            status, end = "poor", End.FOUND
        return self._ended(
            status,
            end,
            model,
            prompt=made[0].prompt if made else brief.prompt,
            made=made,
            reasons=list(dict.fromkeys(each.why for each in failed)),
            jobs=sum(each.paid for each in self._attempts.values()),
        )

    def _ended(
        self,
        status: Status,
        end: End,
        model: MakerModel,
        *,
        prompt: str = "",
        made: Sequence[_Made] = (),
        reasons: Sequence[str] = (),
        jobs: int = 0,
    ) -> Seen:
        things = [each.document for each in made]
        first = things[0] if things else {"seed": None, "alt_text": "", "quality": {}}
        document = {
            "file": self.input.file,
            "status": status,
            "files": [each["file"] for each in things],
            "wish": written(self.wish),
            "prompt": prompt,
            "seed": first["seed"],
            "model": model.name,
            "cost_usd": self._cost(model, jobs),
            "alt_text": first["alt_text"],
            "quality": first["quality"],
            "made": things,
            "reasons": list(reasons),
            "judge": self.judge,
            **made_by(self.kit.generator.name, self._began),
        }
        return Seen(input=self.input, document=document, end=end)

    def _about(self, checked: Checked, prompt: str, model: MakerModel, jobs: int) -> dict[str, Any]:
        """Return what is written beside a thing."""
        return {
            "prompt": prompt,
            "wish": written(self.wish),
            "source": self.input.file,
            **_described(checked),
            "model": model.name,
            "maker": self.kit.generator.name,
            "judge": self.judge,
            "cost_usd": self._cost(model, jobs),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def _cost(self, model: MakerModel, jobs: int) -> str | None:
        """Return what the maker charges for so many jobs, in US dollars; None where its price is not known."""
        if not jobs or self.kit.generator.name == UNDERSTUDY:
            return "0"
        return None if model.price_usd is None else f"{(model.price_usd * jobs).normalize():f}"

    def _stem(self, brief: Brief) -> str:
        if self.input.path is not None:
            return stem_of(f"{self.input.path.stem[:24]} {self.wish.operation}")
        return stem_of(brief.subject or self.wish.text)

    @property
    def _positions(self) -> range:
        return range(1, self.wish.count + 1)

    def _thing(self, at: int) -> str:
        return f"{self.name}:{at}"


def _described(checked: Checked) -> dict[str, Any]:
    quality = {"score": checked.score, "missing": checked.missing, "caption": checked.caption}
    return {"seed": checked.seed, "alt_text": checked.alt_text, "quality": quality}


async def _always() -> bool:
    """A poor result is tried once more: whoever has a shell here decides about the account as well."""
    return True


def _failed(failure: GenerationFailed) -> _Failed:
    end = End.USAGE if failure.kind == "auth" else End.UNAVAILABLE if failure.kind in _AGAIN else End.FOUND
    return _Failed(why=_HERE.get(failure.kind, str(failure)), end=end)

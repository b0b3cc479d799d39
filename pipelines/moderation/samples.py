"""Public sets of labelled texts, read into our own categories, to say how well a judge does.

A label that is absent is unknown, never a negative. What each set can be used for, and its licence, stands in its folder's
`LICENSES.md`. The mapping of categories: OpenAI's (Markov et al., arXiv:2208.03274), AILuminate's hazards (arXiv:2503.05731).
"""

import csv
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pipelines.errors import UserError
from pipelines.moderation.report import Category

_FIELD_CHARS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One labelled text.

    `labels` say which categories it belongs to; one that is not named is unknown. `harmless`: nothing should be done about it;
    None where the set does not say.
    """

    id: str
    text: str = field(repr=False)
    labels: Mapping[Category, bool] = field(default_factory=dict)
    harmless: Literal[True] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSet:
    """A set as it lies in the data folder. `says` tells what its figures are worth."""

    name: str
    files: tuple[str, ...]
    says: str
    read: Callable[[Path], Iterator[Sample]]


def _openai(folder: Path) -> Iterator[Sample]:
    for number, line in enumerate((folder / "samples_screened.jsonl").read_text("utf-8").splitlines()):
        row = json.loads(line)
        labels = {
            category: known
            for category, keys in _OPENAI.items()
            if (known := _any_of([row.get(key) for key in keys])) is not None
        }
        everything = [row.get(key) for key in ("S", "H", "V", "HR", "SH", "H2", "V2")]
        yield Sample(
            id=f"openai:{number}",
            text=row["prompt"],
            labels=labels,
            harmless=True if all(value == 0 for value in everything) else None,
        )


_OPENAI: Final = {
    Category.SEXUAL: ("S",),
    Category.HATE: ("H", "H2"),
    Category.VIOLENCE: ("V", "H2"),
    Category.GORE: ("V2",),
    Category.HARASSMENT: ("HR",),
    Category.SELF_HARM: ("SH",),
}


def _any_of(values: list[int | None]) -> bool | None:
    """Return True when one of the labels is set, False when all are known not to be, None when nobody knows."""
    if any(value == 1 for value in values):
        return True
    return False if all(value == 0 for value in values) else None


def _hatemoji(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "hatemojicheck_test.csv"):
        hateful = row["label_gold"] == "1"
        yield Sample(
            id=f"hatemoji:{row['case_id']}",
            text=row["text"],
            labels={Category.HATE: hateful},
            harmless=None if hateful else True,
        )


def _xstest(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "xstest_prompts.csv"):
        if row["label"] == "safe":  # the unsafe ones ask a chatbot for something, which need not be unsafe to post
            yield Sample(id=f"xstest:{row['id']}", text=row["prompt"], harmless=True)


def _surge(folder: Path) -> Iterator[Sample]:
    for number, row in enumerate(_rows(folder / "toxicity_en.csv")):
        yield Sample(id=f"surge:{number}", text=row["text"], labels={Category.HARASSMENT: row["is_toxic"] == "Toxic"})


def _conversation(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "toxicity_nonfuzzed_testset.csv"):
        toxic = row["toxic"] == "True"
        yield Sample(
            id=f"conversationai:{row['rev_id']}",
            text=row["comment"],
            labels={Category.HARASSMENT: toxic},
            harmless=None if toxic else True,
        )


def _ailuminate(folder: Path) -> Iterator[Sample]:
    for row in _rows(folder / "demo_en_us_screened.csv"):
        category = _HAZARDS.get(row["hazard"])
        if category is not None:
            yield Sample(id=f"ailuminate:{row['release_prompt_id']}", text=row["prompt_text"], labels={category: True})


_HAZARDS: Final = {
    "vcr": Category.VIOLENCE,
    "ncr": Category.ILLICIT,
    "iwp": Category.ILLICIT,
    "hte": Category.HATE,
    "ssh": Category.SELF_HARM,
    "sxc_prn": Category.SEXUAL,
    "src": Category.SEXUAL,
    "prv": Category.PRIVACY,
}


def _bipia(folder: Path) -> Iterator[Sample]:
    for name in ("text_attack_test.json", "text_attack_train.json"):
        attacks: dict[str, list[str]] = json.loads((folder / name).read_text("utf-8"))
        for kind, texts in attacks.items():
            for number, text in enumerate(texts):
                said = f"{name.removesuffix('.json')}:{kind.lower().replace(' ', '-')}:{number}"
                yield Sample(id=f"bipia:{said}", text=text)


SETS: Final = (
    SampleSet(
        name="openai_moderation",
        files=("samples_screened.jsonl",),
        says="seven labels, many of them unknown; few positives for sexual and gore",
        read=_openai,
    ),
    SampleSet(
        name="hatemoji", files=("hatemojicheck_test.csv",), says="hate with emoji, and what only looks like it", read=_hatemoji
    ),
    SampleSet(name="xstest", files=("xstest_prompts.csv",), says="harmless texts that sound harmful", read=_xstest),
    SampleSet(name="surge_toxicity", files=("toxicity_en.csv",), says="insults on social media", read=_surge),
    SampleSet(
        name="conversationai", files=("toxicity_nonfuzzed_testset.csv",), says="comments, most harmless", read=_conversation
    ),
    SampleSet(
        name="ailuminate",
        files=("demo_en_us_screened.csv",),
        says="requests to a chatbot: whether the category is recognised, never a rate of false alarms",
        read=_ailuminate,
    ),
    SampleSet(
        name="bipia",
        files=("text_attack_test.json", "text_attack_train.json"),
        says="orders to a model, none of them labelled: how often they count as tampering, and whether any breaks the answer",
        read=_bipia,
    ),
)


def read_samples(data: Path, *, names: Iterable[str] = (), most: int | None, seed: int = 0) -> dict[str, list[Sample]]:
    """Return the samples of each set that lies in `data`, at most `most` of each, drawn by `seed`.

    Raises: `UserError` when there is no such set, when none lies there, or when one cannot be read.
    """
    wanted = tuple(names)
    known = {each.name for each in SETS}
    if unknown := sorted(set(wanted) - known):
        raise UserError(f"There is no set {', '.join(unknown)}. There are {', '.join(sorted(known))}.")
    found: dict[str, list[Sample]] = {}
    for each in SETS:
        folder = data / each.name
        if (wanted and each.name not in wanted) or not all((folder / name).is_file() for name in each.files):
            continue
        try:
            samples = list(each.read(folder))
        except (OSError, ValueError, KeyError, csv.Error) as error:
            raise UserError(f"{folder} is not the set that it should be ({type(error).__name__}).") from error
        if most is not None and len(samples) > most:
            samples = sorted(random.Random(seed).sample(samples, most), key=lambda sample: sample.id)
        found[each.name] = samples
    if missing := [name for name in wanted if name not in found]:
        raise UserError(f"{data} holds no set {', '.join(missing)}: it needs {_files_of(missing[0])} in a folder of that name.")
    if not found:
        raise UserError(f"{data} holds none of the sets. Name a folder that holds folders such as hatemoji or xstest.")
    return found


def _files_of(name: str) -> str:
    return ", ".join(next(each.files for each in SETS if each.name == name))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(_FIELD_CHARS)
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)

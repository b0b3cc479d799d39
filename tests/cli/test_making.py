"""`flashbulb imagine` and `flashbulb remix`: wishes to files in a folder, each with what is known of it, and how that ends."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.cli.ends import End
from bot.cli.making import MAY_BE_CHARGED, Wanted, imagine, remix
from bot.cli.workshop import first_free, save
from bot.settings import Settings
from emulators.modelslab import ModelsLabEmulator
from pipelines.errors import UserError
from pipelines.generation import make
from tests.cli.conftest import Flashbulb
from tests.making import PNG

KEY = "a-key-that-nobody-may-read"
FIELDS = {
    *("file", "status", "files", "wish", "prompt", "seed", "model", "cost_usd", "alt_text", "quality", "made", "reasons"),
    *("judge", "engine", "elapsed_ms"),
}


@pytest.fixture
def paid(flashbulb: Flashbulb, understudies: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Flashbulb:
    """Run command lines with an account at a maker whose prices are known."""
    (tmp_path / "prices.toml").write_text("[modelslab.prices]\nfast = 0.01\n")
    monkeypatch.setenv("FLASHBULB_CONFIG", "prices.toml")
    monkeypatch.setenv("MODELSLAB_BASE_URL", understudies[1])
    monkeypatch.setenv("MODELSLAB_API_KEY", KEY)
    return flashbulb


def test_a_wish_becomes_files_with_what_is_known_of_each_beside_it(paid: Flashbulb) -> None:
    Path("made").mkdir()
    Path("made/a-red-boat-1.png").write_text("mine")

    ran = paid("imagine", "a red boat", "--out", "made", "--count", "2", "--ar", "wide", "--seed", "7", "--json")

    (document,) = ran.documents
    assert (ran.code, ran.err) == (0, "")
    assert set(document) == FIELDS
    assert (document["file"], document["status"], document["model"]) == (None, "made", "fast")
    assert document["files"] == ["made/a-red-boat-2.png", "made/a-red-boat-3.png"]
    assert [each["seed"] for each in document["made"]] == [7, 8]
    assert (document["cost_usd"], document["engine"], document["judge"]) == ("0.02", "ModelsLab", "understudy")
    assert set(document["quality"]) == {"score", "missing", "caption"}
    assert Path("made/a-red-boat-1.png").read_text() == "mine"
    with Image.open("made/a-red-boat-3.png") as picture:
        assert picture.width > picture.height
    beside = json.loads(Path("made/a-red-boat-3.json").read_text("utf-8"))
    assert (beside["file"], beside["seed"], beside["cost_usd"]) == ("a-red-boat-3.png", 8, "0.01")
    assert beside["wish"] == "a red boat --ar 16:9 --count 2 --seed 7"
    assert beside.keys() >= {"prompt", "model", "maker", "alt_text", "quality", "made_at"}
    assert KEY not in ran.out + ran.err + json.dumps(beside)


def test_without_a_key_the_understudy_draws_and_says_so(flashbulb: Flashbulb) -> None:
    ran = flashbulb("imagine", "a red boat", "--raw")

    assert ran.code == 0
    assert ran.out.startswith("File: “a red boat”\nStatus: made\nSaved as: a-red-boat-1.png\nAlt text: ")
    assert "\nCost: 0 USD\n" in ran.out
    assert "\nBy: understudy: no model, " in ran.out


def test_one_that_is_refused_stops_no_other_and_ends_as_found(paid: Flashbulb) -> None:
    ran = paid("imagine", "a cat FLASHBULB-TEST-GORE-S3-C85", "a cat FLASHBULB-TEST-POOR", "a cat --show", "--json")

    refused, again, shown = ran.documents
    assert ran.code == End.FOUND
    assert (refused["status"], refused["reasons"]) == ("refused", ["The rules here do not allow it (gore)."])
    assert (again["status"], again["cost_usd"]) == ("made", "0.02")  # a poor one is made once more, by another prompt
    assert "POOR" not in again["prompt"]
    assert (shown["status"], shown["prompt"], shown["cost_usd"], shown["files"]) == ("shown", "a cat", "0.01", [])
    assert [each.name for each in Path().glob("*.png")] == again["files"]


def test_one_that_cannot_be_made_is_a_document_with_an_error(paid: Flashbulb) -> None:
    ran = paid("imagine", "a cat --model nobody", "", "--json")

    unknown, empty = ran.documents
    assert ran.code == End.USAGE
    assert "There is no model of that name" in unknown["error"]
    assert "Write what you wish for" in empty["error"]


def test_a_maker_that_does_not_answer_ends_as_unavailable(
    paid: Flashbulb, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(make, "PAUSE_S", 0.01)
    monkeypatch.setenv("MODELSLAB_BASE_URL", f"http://127.0.0.1:{unused_tcp_port}/api")

    ran = paid("imagine", "a red boat", "--json")

    (document,) = ran.documents
    assert ran.code == End.UNAVAILABLE
    assert (document["status"], document["cost_usd"]) == ("failed", "0")
    assert document["reasons"] == ["The service that makes this does not answer. Try again later."]
    assert KEY not in ran.out + ran.err


def test_a_picture_is_remade(paid: Flashbulb, picture: Path) -> None:
    ran = paid("remix", "teal.png", "Ink", "--out", "made/new", "--json")

    (document,) = ran.documents
    assert (ran.code, document["status"], document["wish"]) == (0, "made", "--style ink")
    assert (document["file"], document["files"]) == ("teal.png", ["made/new/teal-restyle-1.png"])
    assert json.loads(Path("made/new/teal-restyle-1.json").read_text("utf-8"))["source"] == "teal.png"


@pytest.mark.parametrize(
    ("option", "seeds"),
    [
        pytest.param(("--model", "fast"), [True], id="the-model-takes-one"),
        pytest.param(("--model", "flux-2-pro"), [False], id="the-model-takes-none"),
    ],
)
def test_a_seed_is_told_where_the_model_takes_one(paid: Flashbulb, option: tuple[str, ...], seeds: list[bool]) -> None:
    [document] = paid("imagine", "a red boat", *option, "--json").documents

    assert [each["seed"] is not None for each in document["made"]] == seeds


def test_what_is_only_made_larger_has_no_seed_and_what_is_edited_keeps_its_format(paid: Flashbulb, tmp_path: Path) -> None:
    Image.effect_noise((1500, 900), 80).convert("RGB").save("wide.png")

    [larger] = paid("remix", "wide.png", "upscale", "--json").documents
    [edited] = paid("remix", "wide.png", "edit: add a hat", "--model", "seedream", "--json").documents

    assert (larger["status"], larger["seed"]) == ("made", None)
    with Image.open(larger["files"][0]) as picture:
        assert picture.size == (3000, 1800)  # of the picture itself, not of what was shown to the judge
    with Image.open(edited["files"][0]) as picture:
        assert picture.width > 1.5 * picture.height


def test_a_background_is_taken_away_and_hides_nothing(flashbulb: Flashbulb, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((900, 600)).convert("RGB").save("sky.png")

    [document] = flashbulb("remix", "sky.png", "remove background", "--json").documents

    assert document["status"] == "made", document
    with Image.open(document["files"][0]) as made:
        assert made.mode == "RGBA"
        hidden = {pixel[:3] for _, pixel in made.getcolors(made.width * made.height) or () if pixel[3] == 0}
    assert hidden == {(255, 255, 255)}  # a picture that full transparency hides would be found, and not shown


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(("https://example.org/a.png", "ink"), "Addresses are not fetched here.", id="address"),
        pytest.param(("gone.png", "ink"), "There is no such file.", id="missing"),
        pytest.param(("teal.png",), "Write what to make of the picture", id="no-words"),
        pytest.param(("teal.png", "ink", "--as", "nothing"), "After --as write one of", id="option"),
        pytest.param(("teal.png", "edit: add a hat", "--strength", "strong"), "Leave --strength", id="no-effect"),
        pytest.param(("teal.png", "ink", "--ar", "9:16"), "Leave --ar out", id="its-own-format"),
        pytest.param(("teal.png", "ink", "--raw"), "Leave --raw out", id="a-style-of-words-as-they-are"),
        pytest.param(("notes.txt", "ink"), "There is no picture in this file.", id="no-picture"),
        pytest.param(("teal.png", "ink", "--out", "notes.txt"), "--out notes.txt: files cannot be laid there.", id="folder"),
    ],
)
def test_what_cannot_be_remade_is_said_in_a_sentence(paid: Flashbulb, picture: Path, given: tuple[str, ...], says: str) -> None:
    (picture.parent / "notes.txt").write_text("words")

    ran = paid("remix", *given)

    assert (ran.code, ran.out) == (End.USAGE, "")
    assert says in ran.err
    assert list(Path().glob("*.png")) == [Path("teal.png")]


@pytest.mark.parametrize(
    ("words", "laid"),
    [
        pytest.param("in the style of this picture: a harbour", 0, id="what-was-seen-in-it-is-in-the-words"),
        pytest.param("ink", 1, id="what-is-redrawn-is-sent"),
    ],
)
async def test_a_picture_is_laid_at_a_public_address_only_if_it_is_sent(
    understudy: str, tmp_path: Path, picture: Path, words: str, laid: int
) -> None:
    async with ModelsLabEmulator() as emulator:
        settings = Settings(
            _env_file=None,
            flashbulb_data=tmp_path,
            gemini_base_url=understudy,
            modelslab_base_url=emulator.base_url,
            modelslab_api_key=SecretStr(KEY),
        )

        end = await remix(str(picture), words, settings, lambda seen: None, wanted=Wanted(options={}, out=tmp_path))

        paths = [each.path for each in emulator.requests]
    assert end == End.DONE
    assert sum("base64_to_url" in path for path in paths) == laid
    assert len(emulator.submits) == 1


async def test_whoever_stops_hears_that_it_may_be_charged(
    understudy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ModelsLabEmulator(work_s=1_000, sync_wait_s=0) as emulator:
        settings = Settings(
            _env_file=None,
            flashbulb_data=tmp_path,
            gemini_base_url=understudy,
            modelslab_base_url=emulator.base_url,
            modelslab_api_key=SecretStr(KEY),
        )
        wanted = Wanted(options={}, out=tmp_path)
        making = asyncio.create_task(imagine(["a red boat"], settings, lambda seen: None, wanted=wanted))
        await emulator.wait_for(lambda: emulator.jobs)

        making.cancel()
        await asyncio.wait([making])

    assert making.cancelled()
    assert capsys.readouterr().err == f"{MAY_BE_CHARGED}\n"
    assert os.listdir(tmp_path) == []


def test_options_beside_the_words_mean_what_they_mean_among_them() -> None:
    wanted = Wanted(options={"ar": "16 : 9", "count": "2", "style": None, "no": "people, text"}, raw=True)

    wish = wanted.read("a cat --no dogs", operation="imagine")

    assert (wish.text, wish.aspect, wish.count, wish.as_written) == ("a cat", "16:9", 2, True)
    assert wish.avoid == "dogs, people, text"
    with pytest.raises(UserError, match="After --ar write"):
        Wanted(options={"ar": ""}).read("a cat", operation="imagine")


def test_a_name_that_is_taken_meanwhile_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "cat-4.png").write_text("mine")
    (tmp_path / "cat-1.json").write_text("mine")

    path = save(PNG, {}, folder=tmp_path, stem="cat", number=1, step=3)

    assert (path.name, path.read_bytes()) == ("cat-7.png", PNG)
    assert {each.name for each in tmp_path.iterdir()} == {"cat-1.json", "cat-4.png", "cat-7.json", "cat-7.png"}
    assert first_free(tmp_path, "cat") == 8

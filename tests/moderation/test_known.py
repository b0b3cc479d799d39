"""What follows for files that a workspace has allowed or denied: exactly these, or near copies of denied pictures."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.content import Attachment, Content, Hashes, Reading
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.moderation.lists import Entry, Lists, entry_id, exact_hashes, near_hashes
from pipelines.moderation.near import Bank, near, words
from pipelines.moderation.report import Finding
from pipelines.ports import Allowed, Known
from tests.conftest import SHARED_DATA

PICTURES = SHARED_DATA / "moderation" / "pdq"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCAM = Finding(category="scam_spam", kind="giveaway", severity=3, confidence=0.7, evidence="win", place="file:0")
BASE = f"{0x0123456789ABCDEF:016x}" * 4
ALL_BITS = 2**256 - 1


def bits_away(bits: int, hash: str = BASE) -> str:
    """Return a hash that differs in `bits` bits, spread over all of it."""
    changed = sum(1 << (at * 256 // max(bits, 1)) for at in range(bits))
    return f"{int(hash, 16) ^ changed:064x}"


def a_picture(
    *,
    place: str = "file:0",
    sha256: str = "a" * 64,
    pixels: str = "b" * 64,
    pdq: str = BASE,
    quality: int = 100,
    text_share: float | None = 0.0,
    coverage: str = "",
    media_type: str = "image/png",
) -> Reading:
    hashes = Hashes(sha256=sha256, pixels=pixels, pdq=(pdq,), pdq_bank=(pdq,), pdq_quality=quality)
    return Reading(place=place, media_type=media_type, status="ok", coverage=coverage, hashes=hashes, text_share=text_share)


def another(reading: Reading, *, bits: int = 256, **changes: object) -> Reading:
    """Return a file with other bytes and pixels, so many bits away."""
    assert reading.hashes
    pdq = bits_away(bits, reading.hashes.pdq[0])
    return a_picture(**{"sha256": "c" * 64, "pixels": "d" * 64, "pdq": pdq, **changes})  # type: ignore[arg-type]


def deny(lists: Lists, *readings: Reading, finding: Finding = SCAM, until: datetime | None = None) -> str:
    hashes = [each for reading in readings for each in (*exact_hashes(reading), *near_hashes(reading))]
    id = entry_id("deny", finding, "", hashes)
    entry = Entry(
        id=id, listed="deny", category=finding.category, kind=finding.kind, severity=finding.severity, at=NOW, until=until
    )
    lists.add(entry, hashes, moment=NOW)
    return id


def allow(lists: Lists, reading: Reading) -> None:
    hashes = list(exact_hashes(reading))
    lists.add(Entry(id=entry_id("allow", None, "", hashes), listed="allow", at=NOW), hashes, moment=NOW)


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"pixels": "", "pdq": bits_away(128)}, "The same file has been denied here before.", id="the-same-bytes"),
        pytest.param(
            {"sha256": "c" * 64, "pdq": bits_away(128)}, "The same picture has been denied here before.", id="the-same-pixels"
        ),
        pytest.param(
            {"sha256": "c" * 64, "pixels": "d" * 64, "pdq": bits_away(20)},
            "A near copy of a picture that has been denied here before: 20 of 256 bits differ.",
            id="a-near-copy",
        ),
    ],
)
def test_what_was_denied_leads_to_its_finding_and_says_why(lists: Lists, changes: dict[str, str], says: str) -> None:
    deny(lists, a_picture())

    known = lists.match([a_picture(place="file:3", **changes)], NOW)  # type: ignore[arg-type]

    expected = Finding(category="scam_spam", kind="giveaway", severity=3, confidence=1, evidence=says, place="file:3")
    assert known == Known(denied=(expected,))


@pytest.mark.parametrize(
    ("bits", "changes", "denied_share"),
    [
        pytest.param(21, {}, 0.0, id="similar-only"),
        pytest.param(31, {}, 0.0, id="hardly-similar"),
        pytest.param(5, {"text_share": 0.02}, 0.0, id="it-bears-text"),
        pytest.param(5, {"text_share": None}, 0.0, id="nobody-knows-whether-it-bears-text"),
        pytest.param(5, {}, 0.02, id="the-denied-one-bore-text"),
    ],
)
def test_the_judge_decides_about_what_is_only_similar(
    lists: Lists, bits: int, changes: dict[str, object], denied_share: float
) -> None:
    denied = a_picture(text_share=denied_share)
    deny(lists, denied)

    known = lists.match([another(denied, bits=bits, **changes)], NOW)

    assert known == Known(precedents={"file:0": "resembles a picture that was denied here before: scam or spam"})


@pytest.mark.parametrize(
    ("bits", "changes"),
    [
        pytest.param(32, {}, id="too-far"),
        pytest.param(0, {"quality": 49}, id="too-poor-to-tell"),
        pytest.param(256, {}, id="inverted"),
    ],
)
def test_what_is_not_similar_is_not_known(lists: Lists, bits: int, changes: dict[str, object]) -> None:
    denied = a_picture()
    deny(lists, denied)

    assert lists.match([another(denied, bits=bits, **changes)], NOW) == Known()


def test_a_poor_picture_is_denied_exactly_and_not_by_likeness(lists: Lists) -> None:
    deny(lists, a_picture(quality=49))

    assert lists.match([another(a_picture(), bits=0)], NOW) == Known()
    assert lists.match([a_picture()], NOW).denied


@pytest.mark.parametrize(
    ("reading", "by"),
    [
        pytest.param(a_picture(pixels="d" * 64), "sha256", id="the-same-bytes"),
        pytest.param(a_picture(sha256="c" * 64), "pixels", id="the-same-pixels"),
        pytest.param(a_picture(sha256="c" * 64, pixels="d" * 64), None, id="a-near-copy"),
        pytest.param(a_picture(sha256="c" * 64, coverage="2 of 2 frames, all scenes"), None, id="an-animation"),
        pytest.param(a_picture(sha256="c" * 64, media_type="application/pdf"), None, id="no-picture"),
        pytest.param(a_picture(coverage="2 of 2 frames, all scenes"), "sha256", id="an-animation-of-the-same-bytes"),
    ],
)
def test_only_exactly_what_was_allowed_is_allowed(lists: Lists, reading: Reading, by: str | None) -> None:
    allow(lists, a_picture())

    allowed = (Allowed(place="file:0", by=by),) if by else ()  # type: ignore[arg-type]
    assert lists.match([reading], NOW) == Known(allowed=allowed)


def test_neither_pixels_nor_likeness_of_an_animations_first_frame_stand_for_it(lists: Lists) -> None:
    animation = a_picture(coverage="13 of 300 frames, all scenes")
    deny(lists, animation)

    assert lists.match([animation], NOW).denied
    assert lists.match([a_picture(sha256="c" * 64)], NOW) == Known()


def test_an_animation_that_shows_a_denied_picture_is_denied(lists: Lists) -> None:
    deny(lists, a_picture())

    assert lists.match([a_picture(sha256="c" * 64, coverage="13 of 300 frames, all scenes")], NOW).denied


@pytest.mark.parametrize("bits", [0, 20])
def test_what_is_denied_is_not_allowed(lists: Lists, bits: int) -> None:
    fits_both = another(a_picture(), bits=bits)
    deny(lists, a_picture())
    allow(lists, fits_both)

    known = lists.match([fits_both], NOW)

    assert (len(known.denied), known.allowed) == (1, ())


def test_what_is_allowed_needs_no_precedent(lists: Lists) -> None:
    similar = another(a_picture(), bits=25)
    deny(lists, a_picture())
    allow(lists, similar)

    assert lists.match([similar], NOW) == Known(allowed=(Allowed(place="file:0", by="sha256"),))


def test_each_file_of_a_message_is_looked_up(lists: Lists) -> None:
    deny(lists, a_picture())
    allow(lists, another(a_picture()))
    unknown = Reading(place="file:2", media_type="", status="unreadable")

    known = lists.match([a_picture(place="file:0"), another(a_picture(), place="file:1/member:0"), unknown], NOW)

    assert [each.place for each in known.denied] == ["file:0"]
    assert [each.place for each in known.allowed] == ["file:1/member:0"]


def test_of_several_decisions_the_gravest_counts_once_for_each_category(lists: Lists) -> None:
    for finding in (SCAM, SCAM.model_copy(update={"severity": 4}), Finding(category="hate", severity=2, confidence=1)):
        deny(lists, a_picture(), finding=finding)

    found = lists.match([a_picture()], NOW).denied

    assert sorted((each.category, each.severity) for each in found) == [("hate", 2), ("scam_spam", 4)]


def test_a_denial_ends_by_itself_and_another_one_of_the_same_stays(lists: Lists) -> None:
    until = NOW + timedelta(minutes=10)
    deny(lists, a_picture(), until=until)
    near_copy = another(a_picture(), bits=3)

    assert lists.match([near_copy], until - timedelta(seconds=1)).denied
    assert lists.match([a_picture(), near_copy], until) == Known()

    deny(lists, a_picture(), finding=SCAM.model_copy(update={"severity": 2}))
    assert [each.severity for each in lists.match([near_copy], until).denied] == [2]


def test_repeating_a_decision_moves_its_end_and_removing_it_ends_it(lists: Lists) -> None:
    for minutes in (1, 10):
        id = deny(lists, a_picture(), until=NOW + timedelta(minutes=minutes))
    assert lists.pictures == 1
    assert lists.match([a_picture()], NOW + timedelta(minutes=5)).denied

    lists.remove([id])

    assert lists.match([a_picture(), another(a_picture(), bits=3)], NOW) == Known()


def test_what_has_ended_makes_room(lists: Lists) -> None:
    pictures = [a_picture(sha256=f"{at:064x}", pixels="", pdq=f"{at:064x}") for at in range(64)]
    for at, picture in enumerate(pictures):
        moment = NOW + timedelta(minutes=at)
        hashes = [*exact_hashes(picture), *near_hashes(picture)]
        entry = Entry(id=str(at), listed="deny", category="hate", severity=3, at=moment, until=moment + timedelta(seconds=1))
        lists.add(entry, hashes, moment=moment)

    assert lists.pictures < 8


hashes_of_256_bits = st.integers(0, ALL_BITS)


@st.composite
def banks(draw: st.DrawFn) -> tuple[list[int], list[int], int]:
    """Return a bank, queries that are close to some of it or far from all, and a limit."""
    bank = draw(st.lists(hashes_of_256_bits, min_size=1, max_size=40))
    near_one = st.builds(
        lambda at, bits: bank[at % len(bank)] ^ sum(1 << bit for bit in bits),
        st.integers(0, 39),
        st.sets(st.integers(0, 255), max_size=40),
    )
    queries = st.lists(st.one_of(near_one, hashes_of_256_bits), min_size=1, max_size=16)
    return bank, draw(queries), draw(st.integers(0, 64))


@given(banks())
def test_near_finds_what_comparing_each_with_each_finds(given_: tuple[list[int], list[int], int]) -> None:
    bank, queries, limit = given_

    rows, bits = near(words([f"{each:064x}" for each in bank]), words([f"{each:064x}" for each in queries]), limit=limit)

    slow = [(at, (one ^ other).bit_count()) for at, one in enumerate(bank) for other in queries]
    assert sorted(zip(rows.tolist(), bits.tolist(), strict=True)) == sorted(pair for pair in slow if pair[1] <= limit)


def test_the_inverse_is_as_far_as_can_be() -> None:
    rows, _ = near(words([bits_away(256)]), words([BASE]), limit=255)

    assert rows.size == 0


def test_near_looks_through_a_bank_of_any_length() -> None:
    random = np.random.default_rng(1)
    bank = random.integers(0, 2**64, (4, 70_000), dtype=np.uint64)
    query = bank[:, [0, 32_767, 32_768, 69_999]]

    rows, bits = near(bank, query, limit=31)

    assert (rows.tolist(), bits.tolist()) == ([0, 32_767, 32_768, 69_999], [0, 0, 0, 0])


def test_a_lookup_goes_on_in_the_bank_that_it_began_with() -> None:
    hashes = [bits_away(0), bits_away(128)]
    empty: Bank[str] = Bank()
    before = empty.with_more(hashes, "first", is_kept=lambda _: True)
    after = before.with_more([bits_away(64)], "second", is_kept=lambda _: True)

    assert before.within(31, [bits_away(64)]) == {}
    assert after.within(31, [bits_away(64)]) == {"second": 0}
    assert after.with_more(hashes * 9, "third", is_kept=lambda each: each != "first").within(0, hashes) == {"third": 0}


# --- The whole way, from the file ---------------------------------------------------------------------------------------------


# How many bits the authors' modifications of one picture are away at most. Source: facebook/ThreatExchange, pdq/.
PUBLISHED = {
    **dict.fromkeys(("blur-a-little", "blur-a-lot"), 4),
    "high-contrast": 6,
    "square-128x128": 12,
}
AT_MOST = 16


class OnDisk:
    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return await asyncio.to_thread(Path(attachment.url).read_bytes)


@pytest.mark.skipif(not PICTURES.exists(), reason="the published pictures are not here")
async def test_a_denied_picture_is_known_in_its_published_modifications(lists: Lists) -> None:
    others = [*sorted((PICTURES / "bridge-mods").glob("[!a]*.jpg")), *sorted((PICTURES / "dih").glob("bridge-[2-8]*.jpg"))]
    files = [PICTURES / "bridge-mods/aaa-orig.jpg", PICTURES / "misc-images/wee.jpg", *others]
    async with Sandbox(workers=2) as sandbox:
        media = MediaReader(OnDisk(), sandbox)
        announced = (
            Attachment(id=str(file), url=str(file), name=file.name, media_type="", size_bytes=file.stat().st_size)
            for file in files
        )
        intakes = await asyncio.gather(*(media.intake(Content(attachments=(each,))) for each in announced))
    original, unlike, *alike = (each for intake in intakes for each in intake.readings)

    deny(lists, original)

    assert lists.match([original], NOW).denied
    assert lists.match([unlike], NOW) == Known()
    assert len(alike) == 18
    bank: Bank[str] = Bank()
    assert original.hashes
    bank = bank.with_more(original.hashes.pdq_bank, "bridge", is_kept=lambda _: True)
    for file, reading in zip(others, alike, strict=True):
        known = lists.match([reading], NOW)
        assert known.denied or known.precedents, file.name
        assert reading.hashes
        assert bank.within(31, reading.hashes.pdq)["bridge"] <= PUBLISHED.get(file.stem, AT_MOST), file.name

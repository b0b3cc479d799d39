"""The rate of posting does not depend on answers; what was noted becomes the right numbers."""

import asyncio
import time
from collections.abc import Callable

import pytest

from bench.gallery import Upload
from bench.load import Timeline, offer, percentile

UPLOADS = [Upload(text=str(number)) for number in range(10)]


class SlowChat:
    """Acts upon everything only once the last upload was posted."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, float]] = []

    def on_action(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def post(self, upload: Upload) -> str:
        self.posted.append((upload.text, time.monotonic()))
        if len(self.posted) == len(UPLOADS):
            for text, _ in self.posted:
                asyncio.get_running_loop().call_later(0.2, self._tell, text)
        return upload.text


class DeafChat(SlowChat):
    async def post(self, upload: Upload) -> str:
        return upload.text


async def test_uploads_keep_their_rate_although_nothing_is_answered() -> None:
    chat = SlowChat()

    timeline = await offer(chat, UPLOADS, per_s=50)

    assert [text for text, _ in chat.posted] == [upload.text for upload in UPLOADS]
    late_s = max(timeline.late_s)  # what a busy machine adds
    assert chat.posted[-1][1] - chat.posted[0][1] == pytest.approx(9 / 50, abs=0.1 + late_s)
    assert timeline.latencies_s[0] > timeline.latencies_s[-1] >= 0.15
    assert late_s < 1


async def test_uploads_that_lead_to_nothing_are_counted() -> None:
    with pytest.raises(TimeoutError, match="10 of 10 uploads"):
        await offer(DeafChat(), UPLOADS, per_s=1000, patience_s=0.1)


def test_numbers_come_from_the_first_action_of_each_upload() -> None:
    timeline = Timeline(posted={"a": 10.0, "b": 11.0}, acted={"a": 12.0, "b": 15.0, "of another run": 99.0})
    timeline.note_action("a")

    assert timeline.latencies_s == [2.0, 4.0]
    assert timeline.per_s == pytest.approx(2 / 5)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param([3, 1, 2], 0.5, 2, id="middle"),
        pytest.param(list(range(1, 101)), 0.99, 99, id="one-in-a-hundred"),
        pytest.param([5], 0.99, 5, id="only-one"),
    ],
)
def test_percentiles_are_values_that_were_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected

"""The page with every answer: nothing that we can say is left out, and nothing is drawn that its platform was not told."""

from typing import Any, get_args

import pytest
from markupsafe import Markup

from bench import answers
from bench.answers import HERE, PLATFORMS, Platform
from bench.drawings.block_kit import BlockKit
from bench.drawings.components import Components
from bench.drawings.samples import NASTY_NAME, samples
from handlers.answers import Answer

CHANNELS = {"C1": "general", "11": "general"}


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_every_kind_of_answer_is_drawn_for_every_platform(platform: Platform) -> None:
    kinds = {type(sample.answer) for sample in samples(HERE[platform])}

    drawn = {each.caption: each.html for each in await answers.drawings(platform)}

    assert kinds == set(get_args(get_args(Answer)[0]))
    assert all("Flashbulb" in drawn[sample.caption] for sample in samples(HERE[platform]))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_every_kind_of_answer_is_drawn_as_it_usually_is_save_what_only_the_console_says(platform: Platform) -> None:
    usual = {sample.answer.kind for sample in samples(HERE[platform]) if sample.usual}

    picture = await answers.gallery(platform)

    assert usual == {kind.model_fields["kind"].default for kind in get_args(get_args(Answer)[0])} - {"invitation"}
    assert all(sample.caption in picture for sample in samples(HERE[platform]) if sample.usual)


async def test_the_page_holds_all_platforms_in_both_themes_and_needs_nothing_beside_it() -> None:
    rows = len(await answers.drawings("console"))

    page = await answers.page()

    for look in ("slack", "discord", "console"):
        assert page.count(f'<div class="{look}">') >= 2 * rows - 4  # the console says nothing of a message that comes back
    assert page.count('<div class="scene" data-theme="dark">') == rows * len(PLATFORMS)
    assert not {"/static/", "<script", "<link", "url("} & {
        word for word in ("/static/", "<script", "<link", "url(") if word in page
    }


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_what_members_wrote_pings_nobody_and_links_to_nothing(platform: Platform) -> None:
    for drawn in await answers.drawings(platform):
        assert "mention loud" not in drawn.html
        assert 'href="https://evil.example' not in drawn.html


def test_names_stand_on_slack_letter_by_letter() -> None:
    drawn = BlockKit(CHANNELS).message({"blocks": [rich({"type": "text", "text": NASTY_NAME})]})

    assert Markup.escape(NASTY_NAME) in drawn


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("*a* _b_ ~c~ `d`", "<b>a</b> <i>b</i> <s>c</s> <code>d</code>", id="marks"),
        pytest.param("in <#C1>", 'in <span class="mention">#general</span>', id="channel"),
        pytest.param("<!here>", '<span class="mention loud">!here</span>', id="ping"),
        pytest.param("<https://x.y/z|w>", '<a href="https://x.y/z">w</a>', id="link"),
        pytest.param("&lt;!here&gt; 2*3*4", "&lt;!here&gt; 2*3*4", id="escaped"),
        pytest.param("> q", "<blockquote>q</blockquote>", id="quote"),
    ],
)
def test_mrkdwn_is_drawn_as_slack_reads_it(text: str, html: str) -> None:
    assert html in BlockKit(CHANNELS).fallback({"text": text})


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("**a** *b* __c__ ~~d~~ `e`", "<b>a</b> <i>b</i> <u>c</u> <s>d</s> <code>e</code>", id="marks"),
        pytest.param(r"\*\*a\*\* \<#11> \@here", "<div>**a** &lt;#11&gt; @here</div>", id="escaped"),
        pytest.param(r"**a \* b**", "<b>a * b</b>", id="escaped-in-bold"),
        pytest.param("snake_case_name", "<div>snake_case_name</div>", id="underscores-in-a-word"),
        pytest.param(
            "@here <@&12>", '<span class="mention loud">@here</span> <span class="mention loud">@&amp;12</span>', id="ping"
        ),
        pytest.param("**in <#11>**", '<b>in <span class="mention">#general</span></b>', id="channel"),
        pytest.param("<t:1773064920:f>", "<time>9 March 2026 14:02</time>", id="moment"),
        pytest.param("<t:1773064920:D>", "<time>9 March 2026</time>", id="day"),
        pytest.param("[w](https://x.y/z)", '<a href="https://x.y/z">w</a>', id="link"),
        pytest.param(r"https\://x.y", "<div>https://x.y</div>", id="no-link"),
        pytest.param("### T\n-# s", '<div class="h3">T</div><div class="subtext">s</div>', id="lines"),
        pytest.param("- p\n> q", "<ul><li>p</li></ul><blockquote>q</blockquote>", id="list-and-quote"),
        pytest.param("a\n>>> b\nc", "<div>a</div><blockquote><div>b</div><div>c</div></blockquote>", id="quote-to-the-end"),
    ],
)
def test_markdown_is_drawn_as_discord_reads_it(text: str, html: str) -> None:
    assert html in Components(CHANNELS).message([{"type": 10, "content": text}])


@pytest.mark.parametrize(
    "block",
    [
        {"type": "video"},
        {"type": "rich_text", "elements": [{"type": "rich_text_unknown", "elements": []}]},
        {"type": "actions", "elements": [{"type": "datepicker"}]},
        {"type": "context", "elements": [{"type": "image"}]},
        {"type": "input", "label": {"text": "When?"}, "element": {"type": "datepicker"}},
    ],
    ids=lambda block: block["type"],
)
def test_what_nobody_has_drawn_for_slack_is_an_error(block: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="Nobody has drawn"):
        BlockKit(CHANNELS).message({"blocks": [block]})


def test_a_rich_text_element_that_nobody_has_drawn_is_an_error() -> None:
    with pytest.raises(LookupError, match="Nobody has drawn"):
        BlockKit(CHANNELS).message({"blocks": [rich({"type": "broadcast", "range": "here"})]})


def test_what_nobody_has_drawn_for_discord_is_an_error() -> None:
    with pytest.raises(LookupError, match="Nobody has drawn"):
        Components(CHANNELS).message([{"type": 17, "components": [{"type": 99}]}])


def test_a_channel_that_is_none_of_the_workspace_s_is_an_error_and_never_an_id_on_the_page() -> None:
    with pytest.raises(KeyError):
        BlockKit(CHANNELS).message({"blocks": [rich({"type": "channel", "channel_id": "C2"})]})
    with pytest.raises(KeyError):
        Components(CHANNELS).message([{"type": 10, "content": "<#12>"}])


def rich(run: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [run]}]}

"""What somebody may do, wherever they are: asked of Slack each time."""

import pytest

from bot.slack import people
from bot.slack.connection import NO_BAN, NO_TIMEOUT
from emulators.slack import SlackEmulator
from handlers.effects import Ban, Performed, Timeout
from handlers.events import Role, Tenant
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action
from tests.slack.acting.conftest import TENANT, Desk, at


@pytest.mark.parametrize(
    ("person", "role"),
    [
        pytest.param("UADMIN", Role.ADMIN, id="an-admin"),
        pytest.param("UMO", Role.MODERATOR, id="in-the-channel-for-cases"),
        pytest.param("UANN", Role.MEMBER, id="a-member"),
        pytest.param("UNOBODY", Role.MEMBER, id="nobody"),
    ],
)
async def test_roles_are_admins_and_whoever_is_in_the_channel_for_cases(
    slack: SlackEmulator, desk: Desk, person: str, role: Role
) -> None:
    await desk.set_up(log_channel=slack.moderators)

    assert await desk.connection.role(TENANT, person) is role


async def test_a_role_is_that_of_this_moment(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)
    roles = [await desk.connection.role(TENANT, each) for each in (slack.mo, slack.olga)]

    await slack.leave(slack.moderators, slack.mo)
    slack.workspace.users[slack.olga].is_admin = slack.workspace.users[slack.olga].is_owner = False
    await slack.leave(slack.moderators, slack.olga)

    assert roles == [Role.MODERATOR, Role.ADMIN]
    assert [await desk.connection.role(TENANT, each) for each in (slack.mo, slack.olga)] == [Role.MEMBER, Role.MEMBER]


async def test_who_has_left_the_workspace_may_do_nothing(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)
    slack.workspace.users[slack.olga].deleted = slack.workspace.users[slack.mo].deleted = True

    assert [await desk.connection.role(TENANT, each) for each in (slack.mo, slack.olga)] == [Role.MEMBER, Role.MEMBER]


async def test_a_public_channel_for_cases_makes_nobody_a_moderator(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.general)

    assert await desk.connection.role(TENANT, slack.mo) is Role.MEMBER


async def test_without_a_channel_for_cases_only_admins_decide(slack: SlackEmulator, desk: Desk) -> None:
    assert [await desk.connection.role(TENANT, each) for each in (slack.mo, slack.olga)] == [Role.MEMBER, Role.ADMIN]


async def test_members_of_a_large_channel_are_read_page_by_page(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.set_up(log_channel=slack.moderators)
    monkeypatch.setattr(people, "MEMBERS_PAGE", 2)
    many = [await slack.add_user(f"UMANY{number}", channels=[slack.moderators]) for number in range(4)]

    roles = [await desk.connection.role(TENANT, each) for each in many]

    pages = [call for call in slack.calls if call.method == "conversations.members"]
    assert roles == [Role.MODERATOR] * 4
    assert len(pages) == 2 + 3 + 3 + 4  # three were there before, two to a page


@pytest.mark.parametrize("scope", ["groups:read", "users:read"])
async def test_what_slack_does_not_tell_makes_nobody_more_than_a_member(slack: SlackEmulator, desk: Desk, scope: str) -> None:
    await desk.set_up(log_channel=slack.moderators)
    slack.workspace.tokens[slack.bot_token].scopes -= {scope}

    assert await desk.connection.role(TENANT, slack.mo) is Role.MEMBER


@pytest.mark.parametrize("method", ["users.info", "conversations.members"])
async def test_where_slack_does_not_answer_nobody_is_taken_for_anything(slack: SlackEmulator, desk: Desk, method: str) -> None:
    await desk.set_up(log_channel=slack.moderators)
    slack.fault("error_500", method=method)

    with pytest.raises(Unavailable):
        await desk.connection.role(TENANT, slack.mo)


async def test_in_another_workspace_nobody_is_more_than_a_member(slack: SlackEmulator, desk: Desk) -> None:
    assert await desk.connection.role(Tenant(platform="slack", workspace="T2"), slack.olga) is Role.MEMBER


async def test_nobody_can_be_silenced_or_shut_out(slack: SlackEmulator, desk: Desk) -> None:
    silence = Timeout(key="slack:T1:one#timeout", place=at(slack.pics), person=slack.ann, until=None)
    ban = Ban(key="slack:T1:one#ban", place=at(slack.pics), person=slack.ann)
    before = len(slack.calls)

    assert not desk.with_admin.supports & {Action.TIMEOUT, Action.BAN}
    assert await desk.with_admin.act(silence) == Performed(status="failed", why=NO_TIMEOUT)
    assert await desk.with_admin.act(ban) == Performed(status="failed", why=NO_BAN)
    assert [await desk.with_admin.look(each) for each in (silence, ban)] == [None, None]
    assert len(slack.calls) == before

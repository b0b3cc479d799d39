"""Slack's names of scopes and events, as far as an app like ours could want them: a name that is misspelt is not among them.

Sources: https://docs.slack.dev/reference/scopes and https://docs.slack.dev/reference/events
"""

_SCOPES = """
    app_mentions:read assistant:write bookmarks:read bookmarks:write calls:read calls:write canvases:read canvases:write
    channels:history channels:join channels:manage channels:read channels:write channels:write.invites channels:write.topic
    chat:write chat:write.customize chat:write.public commands conversations.connect:manage conversations.connect:read
    conversations.connect:write dnd:read dnd:write emoji:read files:read files:write groups:history groups:read groups:write
    groups:write.invites groups:write.topic im:history im:read im:write im:write.topic incoming-webhook links.embed:write
    links:read links:write lists:read lists:write metadata.message:read mpim:history mpim:read mpim:write mpim:write.topic
    pins:read pins:write reactions:read reactions:write reminders:read reminders:write remote_files:read remote_files:share
    remote_files:write search:read stars:read stars:write team.billing:read team.preferences:read team:read
    triggers:read triggers:write usergroups:read usergroups:write users.profile:read users.profile:write users:read
    users:read.email users:write workflow.steps:execute
"""
SCOPE_NAMES = frozenset(_SCOPES.split())

# Each event with the bot scopes without which it does not come.
EVENTS: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "app_rate_limited": (),
    "app_uninstalled": (),
    "channel_archive": ("channels:read",),
    "channel_created": ("channels:read",),
    "channel_deleted": ("channels:read",),
    "channel_history_changed": ("channels:history",),
    "channel_left": ("channels:read",),
    "channel_rename": ("channels:read",),
    "channel_unarchive": ("channels:read",),
    "file_change": ("files:read",),
    "file_created": ("files:read",),
    "file_deleted": ("files:read",),
    "file_public": ("files:read",),
    "file_shared": ("files:read",),
    "file_unshared": ("files:read",),
    "group_archive": ("groups:read",),
    "group_deleted": ("groups:read",),
    "group_left": ("groups:read",),
    "group_rename": ("groups:read",),
    "group_unarchive": ("groups:read",),
    "link_shared": ("links:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    "message.app_home": (),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "message_metadata_deleted": ("metadata.message:read",),
    "message_metadata_posted": ("metadata.message:read",),
    "message_metadata_updated": ("metadata.message:read",),
    "pin_added": ("pins:read",),
    "pin_removed": ("pins:read",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
    "team_join": ("users:read",),
    "tokens_revoked": (),
    "user_change": ("users:read",),
}

"""The web: a chat in the browser that is a platform like Slack and Discord.

`address` (where), `access` (who may use which route), `signin` (the way in), `live` (what open pages hear), `uploads`, `files`
and `pictures` (bytes in, previews out), `pages` (templates and static files), `server` (all of it on one port), `chat/` (the
platform).
"""

"""All pages of the review desk."""

from aiohttp import web

from bot.console.desk.author import Authors
from bot.console.desk.bank import Lists
from bot.console.desk.case import CaseDetails
from bot.console.desk.decisions import Decisions
from bot.console.desk.desk import Desk
from bot.console.desk.digest import DigestPage
from bot.console.desk.insight import InsightPage
from bot.console.desk.pictures import CasePictures
from bot.console.desk.policy import PolicyEditor
from bot.console.desk.queue import Queue
from bot.console.desk.records import AuditPages
from bot.console.desk.versions import PolicyVersions
from bot.storage.audit import StoredAudit
from bot.storage.insight import StoredInsight


def desk_routes(desk: Desk, pictures: CasePictures, audit: StoredAudit, insight: StoredInsight) -> list[web.RouteDef]:
    """Return the routes of every page; each has a class of its own, made with the desk."""
    pages = (
        Queue(desk),
        CaseDetails(desk),
        Decisions(desk),
        pictures,
        Authors(desk),
        PolicyEditor(desk),
        PolicyVersions(desk),
        Lists(desk),
        InsightPage(desk, insight),
        AuditPages(desk, audit, insight),
        DigestPage(desk),
    )
    return [route for page in pages for route in page.routes()]

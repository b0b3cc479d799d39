"""What moderators press on a case. A press becomes the same event as that of a button in the log channel."""

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, fields_of, person_of, tenant_of
from handlers.appeals import appeal_in_words, refuse_first_reviewer
from handlers.cases import card
from handlers.events import ButtonPressed, Event, FormSubmitted, Tenant
from handlers.forms import OPENS_FORM
from handlers.outages import log_place
from handlers.ports.cases import Case
from handlers.review import NOTHING_CHOSEN, decided_in_words, look_up, refuse_wrongful
from pipelines.errors import UserError

PRESS_ID: Final = re.compile(r"[0-9a-f-]{36}")
APPEALS: Final = frozenset({"overturn", "uphold"})
CASE_FORMS: Final = frozenset({"wrong_category", "timeout", "ban"})
FORM_CHARS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Decisions:
    """Takes presses and forms about cases in. What comes of them the pages hear by themselves."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{ROOT}/cases/{{id}}/buttons/{{button}}", self.press),
            web.post(f"{ROOT}/cases/{{id}}/forms/{{form}}", self.submit),
        ]

    @allow("moderator")
    async def press(self, request: web.Request) -> web.Response:
        """Take the press of a button in, or answer with the form that opens. `id` makes it one press, however often it is sent.

        409 when somebody was first, 422 when this person may not.
        """
        fields, button = await fields_of(request), request.match_info["button"]
        event = ButtonPressed(**await self._event(request, fields.get("id", "")), button=button, value=request.match_info["id"])
        case = await self._refuse(event, button, event.value)
        if case.decided_event == event.key:  # it was sent again
            return web.json_response({}, status=202)
        if button in OPENS_FORM and (form := await self.desk.form_for(event)):
            action = f"{request.path.rpartition('/buttons/')[0]}/forms/{form.name}"
            dialog = self.desk.pages.fragment("chat/form.html", form=form, action=action, thread=None, channels=())
            return web.json_response({"form": dialog})
        await self.desk.accept(event.model_copy(update={"message": await self._shown(tenant_of(request), case)}))
        return web.json_response({}, status=202)

    @allow("moderator")
    async def submit(self, request: web.Request) -> web.Response:
        """Take a form about a case in; refusals as for a press, and 422 when nothing was chosen."""
        fields, form = await fields_of(request), request.match_info["form"]
        if form not in CASE_FORMS:
            raise web.HTTPNotFound(text="There is no such form.")
        said = ((name.removeprefix("value:"), value) for name, value in fields.items() if name.startswith("value:"))
        sent = FormSubmitted(
            **await self._event(request, fields.get("id", ""), message=False),
            form=form,
            about=request.match_info["id"],
            values={name: value[:FORM_CHARS] for name, value in said},
        )
        await self._refuse(sent, form, sent.about)
        await self._refuse_nothing(sent)
        await self.desk.accept(sent)
        return web.json_response({}, status=202)

    async def _event(self, request: web.Request, id: str, *, message: bool = True) -> dict[str, object]:
        """Return what every event of this desk holds."""
        if not PRESS_ID.fullmatch(id):
            raise UserError("Reload the page and try again.")
        place = await log_place(tenant_of(request), self.desk.services)
        held: dict[str, object] = {"key": f"desk:{id}", "place": place, "author": person_of(request), "desk": True}
        return held | ({"message": ""} if message else {})

    async def _refuse(self, event: Event, button: str, id: str) -> Case:
        """Refuse what the case does not offer now, or not to this person. Return the case.

        Raises: `HTTPConflict` that says who was first, `UserError`.
        """
        seen = await look_up(event, id, self.desk.services)
        case, offered = seen.case, card(seen.case, seen.supports)
        if case.decided_event == event.key:
            return case
        if button in APPEALS and case.appeal is not None and case.appeal.state == "open":
            refuse_first_reviewer(seen, event.author)
        else:
            refuse_wrongful(seen, button, event.author)
        if button not in {name for name, _ in (*offered.buttons, *offered.more) if name != "why"}:
            raise web.HTTPConflict(text=first_in_words(case))
        return case

    async def _refuse_nothing(self, sent: FormSubmitted) -> None:
        """Refuse a form in which something else was chosen than it offers, or nothing to be done.

        Raises: `UserError`.
        """
        press = ButtonPressed(
            key=sent.key, place=sent.place, author=sent.author, desk=True, button=sent.form, value=sent.about, message=""
        )
        opened = await self.desk.form_for(press)
        offered = opened is not None and all(sent.values.get(each.name) in dict(each.options) for each in opened.fields)
        if not offered or sent.values.get("sure") == "no":
            raise UserError(NOTHING_CHOSEN[sent.form])

    async def _shown(self, tenant: Tenant, case: Case) -> str:
        return await self.desk.services.cases.shown(tenant, f"{case.event}#card") or ""


def first_in_words(case: Case) -> str:
    """Say who decided a case before."""
    if case.appeal is not None and case.appeal.state != "open":
        return appeal_in_words(case)
    if case.undecided:
        return "This cannot be done about this case now. Look at it again."
    return f"{case.decided_by or 'Somebody'} was first and {decided_in_words(case)}."

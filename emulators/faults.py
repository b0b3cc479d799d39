"""Everything that can go wrong at a model's vendor, as switches: `FAULTS` is the table."""

from collections.abc import Mapping
from typing import Final

from emulators import edits, spoil
from emulators.edits import Edit
from emulators.fault_kinds import EVERY, DialectName, Edited, Fault, Group, Raw, Refusal, Spoilt, Wire
from emulators.problems import BAD_KEY, TOO_LARGE, UNAUTHENTICATED, Problem
from emulators.spoil import Spoiler

GEMINI: Final[tuple[DialectName, ...]] = ("gemini",)

DELAY_S: Final = 0.5
DRIP_S: Final = 0.1  # between two bytes of a slow body


def _refused(group: Group, does: str, problem: Problem, *, dialects: tuple[DialectName, ...] = EVERY) -> Refusal:
    return Refusal(group=group, does=f"{problem.status}: {does}", problem=problem, dialects=dialects)


def _quota(period: str) -> dict[str, object]:
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": f"GenerateRequestsPer{period}PerProjectPerModel-FreeTier",
        "quotaValue": "10",
    }
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}


RETRY_INFO: Final = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.837906927s"}
EXHAUSTED: Final = "You exceeded your current quota. Please retry in 45.8s."
TOKENS_SAID: Final = {
    "openai": "This model's maximum context length is 128000 tokens. However, your messages resulted in 1200000 tokens.",
    "anthropic": "prompt is too long: 1200000 tokens > 1000000 maximum",
}

_HTTP: dict[str, Fault] = {
    "http-400-key": _refused("http", "the key is not valid (API_KEY_INVALID)", BAD_KEY),
    "http-400-image": _refused(
        "http", "a picture cannot be read", Problem(status=400, message="Unable to process input image. Please retry.")
    ),
    "http-400-tokens": _refused(
        "http",
        "more tokens than the model takes",
        Problem(
            status=400,
            message="The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            code="context_length_exceeded",
            said=TOKENS_SAID,
        ),
    ),
    "http-400-deadline": _refused(
        "http",
        "the server deadline is under 10 s",
        Problem(status=400, message="Manually set deadline 5s is too short. Minimum allowed deadline is 10s."),
    ),
    "http-400-location": _refused(
        "http",
        "the country is not served (FAILED_PRECONDITION)",
        Problem(
            status=400,
            message="User location is not supported for the API use.",
            rpc="FAILED_PRECONDITION",
            code="unsupported_country_region_territory",
        ),
    ),
    "http-400-billing": _refused(
        "http",
        "the free tier ended and billing is off (FAILED_PRECONDITION)",
        Problem(
            status=400,
            message="Gemini API free tier is not available in your country. Please enable billing on your project.",
            rpc="FAILED_PRECONDITION",
            code="billing_not_active",
            said={
                "openai": "Your account is not active, please check your billing details on our website.",
                "anthropic": "Your credit balance is too low to access the Anthropic API.",
            },
        ),
    ),
    "http-401": _refused("http", "no valid credentials", UNAUTHENTICATED),
    "http-403": _refused(
        "http",
        "the key may not use this model",
        Problem(status=403, message="Permission denied on resource project.", code="permission_denied"),
    ),
    "http-404": _refused(
        "http",
        "the model is not known, or was retired",
        Problem(status=404, message="The model is not found for this API version.", code="model_not_found"),
    ),
    "http-413": _refused("http", "the request is too large; HTML from a proxy", TOO_LARGE),
    "http-429-minute": _refused(
        "http",
        "over the rate per minute, with RetryInfo 45.837906927s",
        Problem(status=429, message=EXHAUSTED, details=(_quota("Minute"), RETRY_INFO), code="rate_limit_exceeded"),
    ),
    "http-429-day": _refused(
        "http",
        "over the quota per day, with a RetryInfo that is of no use",
        Problem(status=429, message=EXHAUSTED, details=(_quota("Day"), RETRY_INFO), code="rate_limit_exceeded"),
    ),
    "http-429-bare": _refused(
        "http", "over the rate, without a delay", Problem(status=429, message="Resource has been exhausted.")
    ),
    "http-429-retry-after": _refused(
        "http",
        "over the rate, with the header Retry-After: 7",
        Problem(
            status=429,
            message="Resource has been exhausted.",
            code="rate_limit_exceeded",
            headers={"Retry-After": "7"},
        ),
    ),
    "http-499": _refused("http", "cancelled by the client", Problem(status=499, message="The operation was cancelled.")),
    "http-500": _refused(
        "http", "an internal error", Problem(status=500, message="An internal error has occurred. Please retry.")
    ),
    "http-502": _refused("http", "a bad gateway; HTML from a proxy", Problem(status=502, message="Bad Gateway", html=True)),
    "http-503-overloaded": _refused(
        "http",
        "the model is overloaded",
        Problem(status=503, message="The model is overloaded. Please try again later.", code="server_is_overloaded"),
    ),
    "http-503": _refused(
        "http", "not available, for no stated reason", Problem(status=503, message="The service is currently unavailable.")
    ),
    "http-504": _refused(
        "http",
        "not done within the server's deadline",
        Problem(status=504, message="The request timed out. Please try again.", rpc="DEADLINE_EXCEEDED"),
    ),
}

_TRANSPORT: dict[str, Fault] = {
    "refuse": Wire(
        group="transport",
        does="Open connections are dropped and new ones refused, for every model, until cleared.",
        how="refuse",
        takes_answer=False,
    ),
    "reset": Wire(group="transport", does="The connection is reset before any header.", how="reset", takes_answer=False),
    "cut": Wire(group="transport", does="The body ends after half of the announced bytes.", how="cut"),
    "hang": Wire(group="transport", does="Nothing is ever sent.", how="hang", takes_answer=False),
    "slow-body": Wire(group="transport", does=f"The body drips, one byte every {DRIP_S} s.", how="slow"),
    "delay": Wire(group="transport", does=f"The right answer comes {DELAY_S} s late.", how="delay"),
}


def _raw(does: str, content: bytes, media_type: str = "application/json") -> Raw:
    return Raw(group="body", does=f"200: {does}", content=content, media_type=media_type)


def _gemini(group: Group, does: str, edit: Edit, *, takes_answer: bool = True) -> Edited:
    return Edited(group=group, does=does, dialects=GEMINI, edits={"gemini": edit}, takes_answer=takes_answer)


_BODY: dict[str, Fault] = {
    "body-html": _raw("an HTML page.", b"<!doctype html><title>Error</title><p>Try later.", "text/html"),
    "body-broken-json": _raw("JSON that ends in the middle.", b'{"candidates": [{"content": {"parts": [{"te'),
    "body-empty": _raw("nothing.", b""),
    "body-list": _raw("an empty list.", b"[]"),
    "body-null": _raw("null.", b"null"),
    "body-object": _raw("an empty object.", b"{}"),
    "body-error": Refusal(
        group="body",
        does="200: an error object of status 500.",
        problem=Problem(status=500, message="An internal error has occurred."),
        status=200,
    ),
    "candidates-empty": _gemini("body", "200: no candidate in the list.", edits.candidates([]), takes_answer=False),
    "candidates-absent": _gemini("body", "200: no list of candidates.", edits.candidates(None), takes_answer=False),
    "candidates-string": _gemini("body", "200: a string in place of the list.", edits.candidates("none"), takes_answer=False),
}


def _spoilt(does: str, spoiler: Spoiler) -> Spoilt:
    return Spoilt(group="content", does=does, spoil=spoiler)


REFUSING_PROSE: Final = "I'm sorry, but I can't help with that request."

_CONTENT: dict[str, Fault] = {
    "schema-violation": Spoilt(
        group="content",
        does="JSON of another shape than the schema's.",
        spoil=spoil.always('{"unexpected": ["shape"]}'),
        takes_answer=False,
    ),
    "field-missing": _spoilt("The first field of the first inner object is missing.", spoil.field_missing),
    "item-missing": _spoilt("The last item of the first list is missing.", spoil.item_missing),
    "unknown-choice": _spoilt(
        "The first value of an enum is none of the enum's.",
        spoil.replaced(spoil.is_choice, "unheard-of", what="value that its schema gives an enum"),
    ),
    "out-of-range": _spoilt(
        "The first fractional number is 1.7.", spoil.replaced(spoil.is_fraction, 1.7, what="fractional number")
    ),
    "nan": _spoilt(
        "The first fractional number is NaN.", spoil.replaced(spoil.is_fraction, float("nan"), what="fractional number")
    ),
    "foreign-nonce": _spoilt(
        "The nonce is another question's.", spoil.replaced(spoil.is_nonce, "0ddba11", what="field `nonce`")
    ),
    "nothing-found": _spoilt(
        "Every whole number is 0, as of a model that obeyed an instruction inside the content.", spoil.nothing_found
    ),
    "prose": _spoilt("Prose around the JSON.", spoil.around("Sure! My answer is ", " I hope that this helps.")),
    "prose-refusal": Spoilt(
        group="content",
        does="A refusal in prose, without JSON.",
        spoil=spoil.always(REFUSING_PROSE),
        takes_answer=False,
    ),
    "fenced": _spoilt("The JSON in a Markdown fence.", spoil.around("```json\n", "\n```")),
    "fenced-chatter": _spoilt(
        "The JSON in a Markdown fence with chatter around it.",
        spoil.around("Of course. Here it is:\n```json\n", "\n```\nAnything else?"),
    ),
    "two-documents": _spoilt("A second JSON document behind the first.", spoil.around("", '\n{"second": true}')),
    "blank": Spoilt(group="content", does="Blanks only.", spoil=spoil.always(" \n"), takes_answer=False),
    "null-text": Edited(
        group="content",
        does="A complete answer whose text is null.",
        takes_answer=False,
        edits={
            "gemini": edits.with_parts(lambda _: [{"text": None}]),
            "openai": edits.openai_finish("stop", "nothing"),
            "anthropic": edits.anthropic_stop("end_turn", "nothing"),
        },
    ),
    "two-parts": _gemini(
        "content",
        "The text in two parts.",
        edits.with_parts(lambda text: [{"text": text[: len(text) // 2]}, {"text": text[len(text) // 2 :]}]),
    ),
    "thought": _gemini(
        "content",
        "A thought before the text.",
        edits.with_parts(lambda text: [{"text": "The picture shows a cat.", "thought": True}, {"text": text}]),
    ),
    "json-in-thought": _gemini(
        "content",
        "The answer inside a thought, and nothing else.",
        edits.with_parts(lambda text: [{"text": text, "thought": True}]),
    ),
    "no-parts": _gemini("content", "A complete answer without parts.", edits.no_parts, takes_answer=False),
    "function-call": _gemini(
        "content",
        "A call of a function that nobody offered.",
        edits.with_parts(lambda _: [{"functionCall": {"name": "unheard_of", "args": {}}}]),
        takes_answer=False,
    ),
}


def _too_long(does: str, left: edits.Left) -> Edited:
    return Edited(
        group="limits",
        does=does,
        takes_answer=left != "nothing",
        edits={
            "gemini": edits.finish("MAX_TOKENS", left),
            "openai": edits.openai_finish("length", left),
            "anthropic": edits.anthropic_stop("max_tokens", left),
        },
    )


_LIMITS: dict[str, Fault] = {
    "max-tokens-cut": _too_long("The token limit cuts the answer in half.", "half"),
    "max-tokens-complete": _too_long("The token limit is reached, yet the answer is complete.", "everything"),
    "max-tokens-empty": _too_long("The token limit is reached before any text.", "nothing"),
}

BLOCK_REASONS: Final = ("SAFETY", "PROHIBITED_CONTENT", "OTHER", "UNHEARD_OF")
FINISH_REASONS: Final = (
    "SAFETY",
    "PROHIBITED_CONTENT",
    "SPII",
    "RECITATION",
    "BLOCKLIST",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "MALFORMED_FUNCTION_CALL",
    "OTHER",
    "LANGUAGE",
    "UNHEARD_OF",
)


def _slug(reason: str) -> str:
    return reason.lower().replace("_", "-")


def _ends(name: str, reason: str | None) -> dict[str, Fault]:
    """Return the three ways to end with `reason`: without text, with all of it, with half."""
    word = reason or "no finish reason"
    return {
        f"finish-{name}-empty": _gemini(
            "refusal", f"{word}, without text.", edits.finish(reason, "nothing"), takes_answer=False
        ),
        f"finish-{name}-text": _gemini(
            "refusal", f"{word}, although the text is complete.", edits.finish(reason, "everything")
        ),
        f"finish-{name}-cut": _gemini("refusal", f"{word}, with half of the text.", edits.finish(reason, "half")),
    }


_REFUSAL: dict[str, Fault] = {
    **{
        f"block-{_slug(reason)}": _gemini(
            "refusal", f"The prompt is blocked: {reason}.", edits.blocked(reason), takes_answer=False
        )
        for reason in BLOCK_REASONS
    },
    "block-empty": _gemini("refusal", "An empty promptFeedback and no candidate.", edits.blocked(None), takes_answer=False),
    "block-with-candidates": _gemini(
        "refusal", "A block reason next to a complete answer.", edits.blocked("SAFETY", keep=True)
    ),
    **{name: fault for reason in FINISH_REASONS for name, fault in _ends(_slug(reason), reason).items()},
    **_ends("absent", None),
    "rating-blocked": _gemini("refusal", "STOP and text, rated `blocked`.", edits.ratings("HIGH", blocked=True)),
    "ratings-high": _gemini("refusal", "STOP and text, rated HIGH but not blocked.", edits.ratings("HIGH")),
    "ratings-negligible": _gemini("refusal", "STOP and text, rated NEGLIGIBLE.", edits.ratings("NEGLIGIBLE")),
}


def _openai(does: str, edit: Edit, *, takes_answer: bool = False) -> Edited:
    return Edited(group="openai", does=does, dialects=("openai",), edits={"openai": edit}, takes_answer=takes_answer)


_OPENAI: dict[str, Fault] = {
    "openai-429-ms": _refused(
        "openai",
        "over the rate, with the header retry-after-ms: 1500",
        Problem(
            status=429,
            message="Rate limit reached for requests.",
            code="rate_limit_exceeded",
            headers={"retry-after-ms": "1500"},
        ),
        dialects=("openai",),
    ),
    "openai-quota": _refused(
        "openai",
        "the account's credit is used up",
        Problem(status=429, message="You exceeded your current quota.", code="insufficient_quota"),
        dialects=("openai",),
    ),
    "openai-policy": _refused(
        "openai",
        "the content is refused (content_policy_violation)",
        Problem(
            status=400,
            message="Your request was rejected as a result of our safety system.",
            code="content_policy_violation",
        ),
        dialects=("openai",),
    ),
    "openai-refusal": _openai(
        "The model refuses in `message.refusal`.", edits.openai_finish("stop", "nothing", refusal=REFUSING_PROSE)
    ),
    "openai-filter": _openai("The content filter leaves no text.", edits.openai_finish("content_filter", "nothing")),
    "openai-filter-text": _openai(
        "The content filter speaks, yet the text is complete.", edits.openai_finish("content_filter"), takes_answer=True
    ),
}


def _anthropic(does: str, edit: Edit, *, takes_answer: bool = False) -> Edited:
    return Edited(group="anthropic", does=does, dialects=("anthropic",), edits={"anthropic": edit}, takes_answer=takes_answer)


_ANTHROPIC: dict[str, Fault] = {
    "anthropic-529": _refused("anthropic", "overloaded", Problem(status=529, message="Overloaded"), dialects=("anthropic",)),
    "anthropic-refusal": _anthropic("The model refuses, without text.", edits.anthropic_stop("refusal", "nothing")),
    "anthropic-refusal-text": _anthropic(
        "The model refuses, yet the text is complete.", edits.anthropic_stop("refusal"), takes_answer=True
    ),
}

FAULTS: Final[Mapping[str, Fault]] = {
    **_HTTP,
    **_TRANSPORT,
    **_BODY,
    **_CONTENT,
    **_LIMITS,
    **_REFUSAL,
    **_OPENAI,
    **_ANTHROPIC,
}

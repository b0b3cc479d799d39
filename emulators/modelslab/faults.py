"""Everything that can go wrong at ModelsLab: the switches by name, which of them are on, and how a prompt switches one on."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Value = str | int | float | None

# `call`: a request is answered with this in place of, or around, what it should be answered with. The others belong to a job
# from the moment it is accepted: what becomes of it, how answers about it look, its files, and how its webhook is called.
Place = Literal["call", "job", "answer", "file", "webhook"]
Point = Literal["submit", "fetch", "upload", "balance", "count", "delete"]

POINTS: Final[tuple[Point, ...]] = ("submit", "fetch", "upload", "balance", "count", "delete")
ALWAYS: Final = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One switch: where it is looked for, what it does, and its value where none is given.

    `done`: of calls, whether the call still does what it is for.
    """

    place: Place
    does: str
    usual: Value = None
    done: bool = False


def _of(place: Place, *, done: bool = False, **does: str | tuple[Value, str]) -> dict[str, Fault]:
    pairs = {name: said if isinstance(said, tuple) else (None, said) for name, said in does.items()}
    return {name: Fault(place=place, does=text, usual=usual, done=done) for name, (usual, text) in pairs.items()}


FAULTS: Final[dict[str, Fault]] = {
    **_of(
        "call",
        warmup="the model is being loaded: `Failed, Try Again`; no job is made",
        invalid_key="401 Invalid API key",
        no_key="401 API key required",
        credits="402 Insufficient credits",
        premium="403 the feature needs a subscription",
        rate_limit="429 Rate limit exceeded, with Retry-After, X-RateLimit-Reset and `retry_after`",
        queue_full="429 too many queued requests, with `retry_after` and `current_queue`",
        spam_dup="200 the spam filter takes it for a repetition",
        validation_str="400 with the message as a text",
        validation_dict="400 with the messages by field",
        validation_list="400 with a list of messages",
        http_500="500 as JSON; nothing is done",
        reset_before="the connection is reset before anything is done",
        empty_body="200 without a body; nothing is done",
        redirect_307="307 to another host, which takes down what it is sent; nothing is done",
    ),
    "502_html": Fault(place="call", does="502 with a proxy's page; nothing is done"),
    "503": Fault(place="call", does="503 as JSON; nothing is done"),
    "524_html": Fault(place="call", done=True, does="it is done; a proxy's page with status 524 is the answer"),
    "524_json": Fault(place="call", done=True, does="it is done; a gateway's 524 as JSON is the answer"),
    **_of(
        "call",
        done=True,
        truncated_json="it is done; half of the answer comes, as if it were all of it",
        json_array="it is done; the answer is in a list",
        error_with_result="it is done; the answer comes with status 500",
        slow_headers=(5.0, "it is done; the answer begins after `value` seconds (5)"),
        drip_body=(0.05, "it is done; the answer comes byte by byte, `value` seconds apart (0.05)"),
        reset_after_accept="it is done; then the connection is reset without an answer",
    ),
    **_of(
        "job",
        processing_n=(3, "`value` fetches (3) are answered `processing`"),
        try_again_poll=(3, "`value` fetches (3) are answered `Failed, Try Again`, though the job goes on"),
        not_found_early=(3, "`value` fetches (3) are answered `Request not found`, though the job goes on"),
        not_found_forever="every fetch is answered `Request not found`",
        failed_final="the job fails",
        provider_error="the job fails: `error` with the code provider_error",
        stuck="the job never ends and keeps its slot",
        unknown_status="the job is `queued` for ever, a status that nobody documents",
        eta_lie=(7200, "the estimate is `value` (7200), read as JSON: 0, 2, 3.7, null, a text"),
    ),
    **_of(
        "answer",
        processing_no_id="the submit is answered `processing` without an id",
        processing_no_fetch_result="the submit is answered `processing` without fetch_result",
        processing_no_eta="the submit is answered `processing` without an estimate",
        processing_output_string="the submit is answered `processing` with a text as output",
        processing_messege="the submit is answered `processing` with `messege` for message",
        proxy_dict="proxy_links is an object",
        proxy_null="proxy_links is null",
        output_string="output is one address in place of a list",
        output_null=(ALWAYS, "output is null in the first `value` answers (all)"),
        output_empty=(ALWAYS, "output is an empty list in the first `value` answers (all)"),
        fewer_outputs="one output is missing",
        id_string="the id is a text",
        nsfw=("black", "the result is replaced (`value`: black, blur, text) and flagged"),
        nsfw_silent=("black", "the result is replaced (`value`: black, blur, text) and nothing says so"),
        meta_rewrite="meta holds another prompt and another negative prompt",
        evil_fetch_result=("foreign", "fetch_result leads to `value`: foreign, loopback, link-local, file"),
        evil_output=("foreign", "the outputs lead to `value`: foreign, loopback, link-local, file"),
        inline_base64="the outputs are base64, not addresses",
        data_uri="the outputs are data: addresses",
        base64_file="the outputs are addresses of files with base64 in them",
        no_extension="the outputs' names have no extension",
        jpg_named_png="the outputs are JPEG pictures named .png",
    ),
    **_of(
        "file",
        url_404_k=(2, "each address answers 404 `value` times (2) first"),
        url_404_forever="all addresses answer 404",
        url_403_expired="all addresses answer 403, as after their time",
        proxy_only="only the addresses of proxy_links work",
        stall_mid="half of a file is sent, and then nothing more",
        short_length="the whole length is announced, half is sent",
        text_plain="the file is sent as text/plain",
        html_as_image="a page is sent under the file's own type",
        huge=(64 * 1024 * 1024, "`value` zero bytes (64 MiB) follow the file, without an announced length"),
    ),
    **_of(
        "webhook",
        webhook_dup="the webhook is called twice",
        webhook_late=(1.0, "the webhook is called `value` seconds (1) late"),
        webhook_never="the webhook is never called",
        webhook_forged="somebody else calls the webhook first, with outputs of their own",
        webhook_ok="the webhook is called once, as without a fault",
    ),
}

# A fault in a prompt: [[fault:name]], [[fault:name=value]], [[fault:name@fetch=times]]. Of calls the value is how often.
TOKEN: Final = re.compile(r"\[\[fault:([a-z0-9_]+)(?:@([a-z]+))?(?:=([^\]]*))?\]\]")


@dataclass(slots=True, kw_only=True)
class Switch:
    """A fault that is on. `left` counts the uses; `at` is the call that it is for, `path` a piece of the path."""

    name: str
    fault: Fault
    value: Value = None
    left: int | None = 1
    at: Point = "submit"
    path: str = ""

    def use(self, at: Point, path: str) -> bool:
        """Use it up once, if it is for this call; tell whether."""
        if self.left == 0 or self.at != at or self.path not in path:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The switches that are on. Of several for one call, the one switched on first is used; of a job's, all are."""

    def __init__(self) -> None:
        self._on: list[Switch] = []
        self._said: dict[tuple[str, str], Switch] = {}  # by prompt and token

    def switch_on(self, name: str, *, times: int | None, value: Value, at: Point, path: str) -> None:
        """Switch a fault on. Raises: `KeyError` for an unknown name, `ValueError` for an unknown point."""
        if at not in POINTS:
            raise ValueError(f"There is no point {at}: {', '.join(POINTS)}.")
        fault = FAULTS[name]
        self._on.append(Switch(name=name, fault=fault, value=read(fault, value), left=times, at=at, path=path))

    def clear(self) -> None:
        self._on.clear()
        self._said.clear()

    def of_call(self, at: Point, path: str, prompt: str = "", also: list[Switch] | None = None) -> Switch | None:
        """Use up the fault that this call is answered with, if there is one. `also` are more of them."""
        said = [switch for switch in self._in(prompt) if switch.fault.place == "call"]
        switches = [switch for switch in (*self._on, *said, *(also or ())) if switch.fault.place == "call"]
        return next((switch for switch in switches if switch.use(at, path)), None)

    def of_job(self, path: str, prompt: str) -> tuple[dict[str, Value], list[Switch]]:
        """Use up what shall become of a new job: its faults with their values, and those of calls about it."""
        kept = [each for each in self._on if each.fault.place != "call" and each.use("submit", path)]
        said = list(self._in(prompt))
        own = {each.name: each.value for each in (*kept, *said) if each.fault.place != "call"}
        return own, [each for each in said if each.fault.place == "call" and each.at != "submit"]

    def _in(self, prompt: str) -> Iterator[Switch]:
        for found in TOKEN.finditer(prompt):
            key = (prompt, found[0])
            if key not in self._said and found[1] in FAULTS:
                self._said[key] = _said(found)
            if key in self._said:
                yield self._said[key]


def without_faults(prompt: str) -> str:
    """Return the prompt without its fault tokens."""
    return TOKEN.sub("", prompt).strip()


def read(fault: Fault, value: Value) -> Value:
    """Return the value to use: texts are read as JSON where they can be, and the usual one stands in for none."""
    if value is None:
        return fault.usual
    if not isinstance(value, str):
        return value
    try:
        plain = json.loads(value)
    except ValueError:
        return value
    return plain if plain is None or isinstance(plain, str | int | float) else value


def _said(found: re.Match[str]) -> Switch:
    name, at, value = found.groups()
    fault = FAULTS[name]
    point: Point = next((each for each in POINTS if each == at), "submit")
    if fault.place != "call":
        return Switch(name=name, fault=fault, value=read(fault, value))
    times = None if value == ALWAYS else int(value) if value and value.isdigit() else 1
    return Switch(name=name, fault=fault, value=fault.usual, left=times, at=point)

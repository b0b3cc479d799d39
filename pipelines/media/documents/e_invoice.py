"""What an XML invoice says, and its way through the pipe.

Only plain types: the parent imports this module, so it must not bring a decoder along.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """An invoice in EN 16931's terms, as the XML writes it: nothing is normalised or computed.

    `fields` and `rows` use the names of `pipelines/extraction/schemas/invoice.yaml`, dates as ISO 8601, kinds as its options.
    `name` is the name of the attachment that it was, empty for a file of its own. `type_code` is UNTDID 1001, `profile` the
    specification that it says it follows.
    """

    syntax: Literal["CII", "UBL"]
    profile: str
    type_code: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)

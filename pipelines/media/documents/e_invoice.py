"""What an XML invoice says, and its way through the pipe.

Only plain types: the parent imports this module, so it must not bring a decoder along.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# The names of `pipelines/extraction/schemas/invoice.yaml`.
FieldName = Literal[
    "kind", "number", "issue_date", "delivery_date", "due_date", "payment_terms", "order_number",
    "seller", "seller_address", "seller_vat_id", "buyer", "buyer_address", "buyer_vat_id", "currency",
    "line_total", "allowance_total", "charge_total", "net_total", "tax_total", "gross_total", "prepaid",
    "withheld", "rounding", "due",
    "iban", "bic", "payment_reference",
]  # fmt: skip
GroupName = Literal["taxes", "line_items"]
ColumnName = Literal[
    "rate", "basis", "tax",
    "description", "quantity", "unit", "unit_price", "price_basis_quantity", "discount", "tax_rate", "line_total",
]  # fmt: skip

VALUE_CHARS: Final = 2_000  # of one value; payment terms and descriptions are the longest
ROWS: Final = 5_000  # of one group
ATTACHMENTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """An invoice in EN 16931's terms, as the XML writes it: nothing is normalised or computed.

    `fields` and `rows` use the names of `pipelines/extraction/schemas/invoice.yaml`, dates as ISO 8601, kinds as its options.
    `name` is the name of the attachment that it was, empty for a file of its own. `type_code` is UNTDID 1001, `profile` the
    specification that it says it follows. `others` counts further e-invoices in the same document, with other bytes, which
    were not read.
    """

    syntax: Literal["CII", "UBL"]
    profile: str
    type_code: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    others: int = 0


def pack(invoice: EInvoice | None) -> tuple[dict[str, Any], bytes]:
    """Return the invoice as the head and the body of an answer; an empty body where there is none."""
    return {}, json.dumps(dataclasses.asdict(invoice)).encode() if invoice else b""


def unpack(body: bytes) -> EInvoice | None:
    """Return the invoice that a worker packed. It has decoded a stranger's bytes, so nothing is taken for granted.

    Raises: `ValueError` when it is something else.
    """
    return EInvoice(**_Packed.model_validate_json(body).model_dump()) if body else None


_Value = Annotated[str, Field(min_length=1, max_length=VALUE_CHARS)]
_Short = Annotated[str, Field(max_length=VALUE_CHARS)]
_Row = dict[ColumnName, _Value]


class _Packed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    syntax: Literal["CII", "UBL"]
    profile: _Short
    type_code: _Short
    name: _Short
    fields: dict[FieldName, _Value]
    rows: dict[GroupName, Annotated[tuple[_Row, ...], Field(max_length=ROWS)]]
    others: int = Field(ge=0, le=ATTACHMENTS)

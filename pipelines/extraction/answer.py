"""What a model is asked to answer about a document: a flat list of what it read, the same for every schema.

One flat shape has no nested optional objects, which vendors treat differently; it leaves out what is not there, and shows what
was said twice.
"""

from typing import Annotated

from pydantic import BaseModel, Field

Short = Annotated[str, Field(json_schema_extra={"maxLength": 300})]


class Said(BaseModel):
    """One value, as the model claims to have read it.

    `field` is a path such as `gross_total` or `line_items.quantity`; `row` counts the rows of a group from 0 and is -1 for
    what is in none. `raw` is copied letter by letter; `quote` is the passage around it with at least one word that says what it
    is; `page` counts from 1. `box` is [ymin, xmin, ymax, xmax], 0 to 1000, and is empty where the page has a text layer.
    """

    field: str
    row: int
    raw: Short
    quote: Short
    page: int
    box: list[int]


class Answer(BaseModel):
    """All that the model read. `looks_like` is a kind of document by name; `country` is that of its issuer, ISO 3166-1 alpha-2.

    `begins` lists the pages on which a document begins: several where a file holds several.
    """

    nonce: str
    looks_like: str
    country: str
    begins: list[int]
    values: list[Said]

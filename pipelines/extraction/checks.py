"""What the values of a document must come to: sums, rates, orders of dates, check digits. Nothing is ever repaired.

Which rules are hard was measured on 50 e-invoices: those that every correct one keeps. Documents may break the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from pipelines.extraction.currencies import minor_units
from pipelines.extraction.schema import Schema
from pipelines.extraction.values import Check, Value, path_of

Fields = Mapping[str, Value]
Rows = Mapping[str, Sequence[Mapping[str, Value]]]

_LEAST: Final = Decimal("0.02")  # what sums may be off by, in any currency
_LINES: Final = "line_items"
_WITHIN_DAYS: Final = 366

ONE_CURRENCY: Final = "one currency"
AT_MOST_TOTAL: Final = "to pay ≤ total"
NOT_BELOW_ZERO: Final = "to pay ≥ 0"
ABOUT_THEN: Final = "delivered within a year of the date"
# These hold for most wrong numbers as well: they can cast doubt on a value, but not confirm it.
BOUNDS: Final = frozenset({ONE_CURRENCY, AT_MOST_TOTAL, NOT_BELOW_ZERO, ABOUT_THEN})


def check(schema: Schema, fields: Fields, rows: Rows) -> tuple[Check, ...]:
    """Return every check that can be made with these values; one for which a value is missing is not made."""
    figures = Figures(fields, rows)
    made: list[Check] = []
    if schema.name == "invoice":
        made += _invoice(figures)
    elif schema.name == "receipt":
        made += _receipt(figures)
    made += _one_currency(figures)
    made += _in_order(figures, "effective_date", "end_date", "begins ≤ ends")
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Term:
    """A number with the words for it and the paths of the values that it was made of."""

    words: str
    amount: Decimal
    paths: tuple[str, ...]


class Figures:
    """The values of a document as numbers."""

    def __init__(self, fields: Fields, rows: Rows) -> None:
        self.fields = fields
        self.rows = rows
        amounts = (value.currency for _, value in self.each() if value.currency)
        stated = fields["currency"].value if "currency" in fields else None
        self.currency = stated or next(amounts, None)
        self.digits = minor_units(self.currency or "")

    def each(self) -> Iterator[tuple[str, Value]]:
        yield from self.fields.items()
        for group, rows in self.rows.items():
            for at, row in enumerate(rows):
                yield from ((path_of(group, at, name), value) for name, value in row.items())

    def term(self, name: str, words: str) -> Term | None:
        value = self.fields.get(name)
        return None if value is None or value.number is None else Term(words, value.number, (name,))

    def cell(self, group: str, row: int, name: str, words: str = "") -> Term | None:
        value = self.rows[group][row].get(name)
        return None if value is None or value.number is None else Term(words, value.number, (path_of(group, row, name),))

    def column(self, group: str, name: str, words: str) -> Term | None:
        """Return the sum of a column; None where a row has no number there, or there are no rows."""
        cells = [self.cell(group, at, name) for at in range(len(self.rows.get(group, ())))]
        there = [cell for cell in cells if cell is not None]
        if not there or len(there) < len(cells):
            return None
        return Term(
            words, sum((cell.amount for cell in there), Decimal(0)), tuple(path for cell in there for path in cell.paths)
        )

    def tolerance(self, lines: int = 1) -> Decimal:
        """Return what a sum of so many rounded amounts may be off by: 0.02 or one minor unit for each, whichever is larger."""
        return max(_LEAST, Decimal(1).scaleb(-self.digits) * max(1, lines))

    def shown(self, amount: Decimal) -> str:
        """Return a number with as many digits after the point as the currency has, or as it needs."""
        exponent = amount.normalize().as_tuple().exponent
        needed = -exponent if isinstance(exponent, int) else 0
        return f"{amount:.{max(self.digits, min(needed, 6))}f}"

    def join(self, terms: Sequence[Term]) -> str:
        """Return such as "net 496.00 and tax 75.04"."""
        said = [f"{each.words} {self.shown(each.amount)}" for each in terms]
        return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


@dataclass(frozen=True, slots=True)
class Sum:
    """What should come to a total. `off` is taken off; it is printed with a minus or without, but all of it alike."""

    plus: tuple[Term, ...]
    off: tuple[Term, ...]
    total: Term

    @staticmethod
    def of(plus: Iterable[Term | None], total: Term, *, off: Iterable[Term | None] = ()) -> "Sum":
        return Sum(tuple(each for each in plus if each), tuple(each for each in off if each), total)

    @property
    def comes_to(self) -> Decimal:
        base, less = (sum((each.amount for each in some), Decimal(0)) for some in (self.plus, self.off))
        return min(base - less, base + less, key=lambda each: abs(each - self.total.amount))

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for each in (*self.plus, *self.off, self.total) for path in each.paths)


def _adds_up(figures: Figures, name: str, *sums: Sum, hard: bool = True, lines: int = 1) -> Check:
    """Return whether one of `sums` adds up; they are the ways in which such documents are printed, the most usual one first."""

    def holds(each: Sum) -> bool:
        return abs(each.comes_to - each.total.amount) <= figures.tolerance(lines)

    best = next(filter(holds, sums), sums[0])
    comes_to, total = figures.shown(best.comes_to), best.total
    if len(best.plus) == 1 and not best.off:
        says = f"{best.plus[0].words} comes to {comes_to}"
    else:
        off = [Term(each.words, abs(each.amount), each.paths) for each in best.off]
        less = f" less {figures.join(off)}" if off else ""
        says = f"{figures.join(best.plus)}{less} come to {comes_to}"
    ends = f"which is {total.words}" if holds(best) else f"but {total.words} is {figures.shown(total.amount)}"
    return Check(name=name, holds=holds(best), hard=hard, says=f"{says[0].upper()}{says[1:]}, {ends}.", paths=best.paths)


# --- Invoices ----------------------------------------------------------------------------------------------------------


def _invoice(figures: Figures) -> Iterator[Check]:
    yield from _each_line(figures)
    yield from _lines_and_net(figures)
    yield from _taxes(figures)
    yield from _gross_and_due(figures)
    yield from _in_order(figures, "issue_date", "due_date", "date ≤ due date")
    yield from _delivered_about_then(figures)


def _each_line(figures: Figures) -> Iterator[Check]:
    """Check quantity and price of each row. Surcharges and rounded prices make one in ten correct invoices break this."""
    for at in range(len(figures.rows.get(_LINES, ()))):
        quantity, price = figures.cell(_LINES, at, "quantity"), figures.cell(_LINES, at, "unit_price")
        total = figures.cell(_LINES, at, "line_total", "its amount")
        if not (quantity and price and total):
            continue
        basis, off = figures.cell(_LINES, at, "price_basis_quantity"), figures.cell(_LINES, at, "discount", "discount")
        per = f" per {_plain(basis.amount)}" if basis and basis.amount not in (0, 1) else ""
        words = f"row {at + 1}: {_plain(quantity.amount)} × {figures.shown(price.amount)}{per}{' =' if off else ''}"
        amount = quantity.amount * price.amount / (basis.amount if basis and basis.amount else 1)
        product = Term(words, amount, (*quantity.paths, *price.paths, *(basis.paths if basis else ())))
        yield _adds_up(figures, "quantity × price = amount", Sum.of([product], total, off=[off]), hard=False)


def _lines_and_net(figures: Figures) -> Iterator[Check]:
    """Check the rows against their printed sum, and that against the net; where no sum is printed, the rows against the net."""
    lines, stated = figures.column(_LINES, "line_total", "the sum of the rows"), figures.term("line_total", "the sum of lines")
    net, gross = figures.term("net_total", "the net"), figures.term("gross_total", "the total")
    off, charges = figures.term("allowance_total", "discounts"), figures.term("charge_total", "charges")
    count = len(figures.rows.get(_LINES, ()))
    if lines and stated:
        yield _adds_up(figures, "sum of rows = sum of lines", Sum.of([lines], stated), lines=count)
    if stated and net:
        known = off is not None and charges is not None
        name = "sum of lines − discounts + charges = net"
        yield _adds_up(figures, name, Sum.of([stated, charges], net, off=[off]), hard=known)
    elif lines and net:
        totals = [net, gross] if gross else [net]  # the rows of invoices to consumers have the tax in them
        ways = [Sum.of([lines, charges], total, off=[off]) for total in totals]
        yield _adds_up(figures, "sum of rows − discounts + charges = net", *ways, hard=False, lines=count)


def _taxes(figures: Figures) -> Iterator[Check]:
    lines = len(figures.rows.get(_LINES, ()))
    for at in range(len(figures.rows.get("taxes", ()))):
        rate, basis = figures.cell("taxes", at, "rate"), figures.cell("taxes", at, "basis")
        tax = figures.cell("taxes", at, "tax", "the tax")
        if rate and basis and tax:
            words = f"{_plain(rate.amount)} % of {figures.shown(basis.amount)}"
            part = Term(words, basis.amount * rate.amount / 100, (*rate.paths, *basis.paths))
            yield _adds_up(figures, "basis × rate = tax", Sum.of([part], tax), lines=lines)
    taxes, total = figures.column("taxes", "tax", "the sum of the taxes"), figures.term("tax_total", "the tax in all")
    if taxes and total:
        yield _adds_up(figures, "sum of taxes = tax", Sum.of([taxes], total), lines=len(taxes.paths))


def _gross_and_due(figures: Figures) -> Iterator[Check]:
    net, gross = figures.term("net_total", "net"), figures.term("gross_total", "the total")
    tax = figures.term("tax_total", "tax") or figures.column("taxes", "tax", "taxes")
    rounding, due = figures.term("rounding", "rounding"), figures.term("due", "the amount to pay")
    prepaid = figures.term("prepaid", "what is paid already")
    if net and tax and gross:
        ways = [Sum.of([net, tax], gross), *([Sum.of([net, tax, rounding], gross)] if rounding else [])]
        yield _adds_up(figures, "net + tax = total", *ways)
    if gross and due:
        ways = [Sum.of([gross, rounding], due, off=[prepaid]), *([Sum.of([gross], due, off=[prepaid])] if rounding else [])]
        yield _adds_up(figures, "total − paid already = to pay", *ways, hard=prepaid is not None)
        both = f"The amount to pay is {figures.shown(due.amount)}, the total {figures.shown(gross.amount)}."
        paths = (*gross.paths, *due.paths)
        at_most = abs(due.amount) <= abs(gross.amount) + figures.tolerance()
        yield Check(name=AT_MOST_TOTAL, holds=at_most, hard=False, says=both, paths=paths)
        if gross.amount >= 0:
            yield Check(name=NOT_BELOW_ZERO, holds=due.amount >= 0, hard=False, says=both, paths=paths)


def _delivered_about_then(figures: Figures) -> Iterator[Check]:
    """Check that delivery and invoice are within a year: which comes first differs, but a misread year stands out."""
    issued, delivered = (_day(figures.fields.get(name)) for name in ("issue_date", "delivery_date"))
    if issued and delivered:
        holds = abs((issued - delivered).days) <= _WITHIN_DAYS
        says = f"It was delivered on {delivered} and is dated {issued}."
        yield Check(name=ABOUT_THEN, holds=holds, hard=False, says=says, paths=("issue_date", "delivery_date"))


# --- Receipts ----------------------------------------------------------------------------------------------------------


def _receipt(figures: Figures) -> Iterator[Check]:
    yield from _each_line(figures)
    lines, subtotal = figures.column(_LINES, "line_total", "the sum of the rows"), figures.term("subtotal", "the subtotal")
    discount, rewards = figures.term("discount", "discounts"), figures.term("rewards", "rewards")
    tax, tip, total = figures.term("tax", "tax"), figures.term("tip", "tip"), figures.term("total", "the total")
    count = len(figures.rows.get(_LINES, ()))
    if lines and subtotal:
        ways = [Sum.of([lines], subtotal)]
        ways += [Sum.of([lines], subtotal, off=[each]) for each in (discount, tax) if each]  # the tax may be in the rows
        yield _adds_up(figures, "sum of rows = subtotal", *ways, lines=count)
    if total and (base := subtotal or lines):
        # Prices have the tax in them, or not; discounts are off the subtotal already, or not.
        ways = [
            Sum.of([base, *taxes, tip], total, off=[*off, rewards])
            for off in _with_and_without(discount)
            for taxes in _with_and_without(tax)
        ]
        name = "subtotal − discounts + tax − rewards + tip = total"
        yield _adds_up(figures, name, *ways, hard=bool(subtotal and tax), lines=1 if subtotal else count)
    yield from _tax_of_receipt(figures, subtotal, (discount, rewards), tax, total, tip)
    paid, change = figures.term("paid", "what was paid"), figures.term("change", "change")
    if paid and total:
        ways = [Sum.of([paid], total, off=[change, *tips]) for tips in reversed(_with_and_without(tip))]
        yield _adds_up(figures, "paid − change = total", *ways, hard=change is not None)


def _with_and_without(term: Term | None) -> tuple[tuple[Term, ...], ...]:
    return ((term,), ()) if term else ((),)


def _tax_of_receipt(
    figures: Figures,
    subtotal: Term | None,
    off: Sequence[Term | None],
    tax: Term | None,
    total: Term | None,
    tip: Term | None,
) -> Iterator[Check]:
    """Check rate and tax, on top of the prices or in them. A lower tax says nothing: not all goods are taxed."""
    rate = figures.term("tax_rate", "")
    if not (rate and tax and (subtotal or total)):
        return
    share = rate.amount / 100
    less = [abs(each.amount) for each in off if each]
    bases = [subtotal.amount - sum(less[:end], Decimal(0)) for end in range(len(less) + 1)] if subtotal else []
    expected = [base * share for base in bases]
    if total:
        taxed = total.amount - (tip.amount if tip else 0)
        expected += [(taxed - tax.amount) * share, taxed * share / (1 + share)]
    tolerance = figures.tolerance(len(figures.rows.get(_LINES, ())))
    nearest = min((round(each, figures.digits) for each in expected), key=lambda each: abs(each - tax.amount))
    holds = abs(nearest - tax.amount) <= tolerance
    if holds or abs(tax.amount) > max(map(abs, expected)):
        says = f"{_plain(rate.amount)} % come to {figures.shown(nearest)}, {'as' if holds else 'but'} the tax is"
        paths = ("tax_rate", "tax", *(subtotal.paths if subtotal else total.paths if total else ()))
        yield Check(
            name="rate × basis = tax", holds=holds, hard=False, says=f"{says} {figures.shown(tax.amount)}.", paths=paths
        )


# --- Every schema ------------------------------------------------------------------------------------------------------


def _one_currency(figures: Figures) -> Iterator[Check]:
    stated = figures.fields.get("currency")
    amounts = {path: value.currency for path, value in figures.each() if value.currency and path != "currency"}
    if stated is None or stated.value is None or not amounts:
        return
    others = {path: code for path, code in amounts.items() if code != stated.value}
    says = f"The currency is {stated.value}, but some amounts are in {', '.join(sorted(set(others.values())))}."
    if not others:
        says = f"All amounts are in {stated.value}."
    yield Check(name=ONE_CURRENCY, holds=not others, hard=False, says=says, paths=("currency", *(others or amounts)))


def _in_order(figures: Figures, earlier: str, later: str, name: str) -> Iterator[Check]:
    first, second = (_day(figures.fields.get(each)) for each in (earlier, later))
    if first and second:
        relation = "not after" if first <= second else "after"
        says = f"{first} is {relation} {second}."
        yield Check(name=name, holds=first <= second, hard=False, says=says, paths=(earlier, later))


def _day(value: Value | None) -> date | None:
    try:
        return date.fromisoformat(value.value) if value and value.value else None
    except ValueError:
        return None


def _plain(number: Decimal) -> str:
    """Return a number without the zeros at its end."""
    return f"{number.normalize():f}"

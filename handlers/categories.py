"""Categories as people name them."""

from pipelines.errors import UserError
from pipelines.moderation.policy import Policy
from pipelines.moderation.report import OWN, Category, CategoryName, label_of


def category_named(named: str, policy: Policy, *, ask: str = "Name one category") -> CategoryName:
    """Return the category that somebody means, by its name or by its label, also one of the workspace's own.

    Raises: `UserError` that says `ask` and names all there are.
    """
    known = (*(each.value for each in Category), *(f"{OWN}{name}" for name in policy.own_categories))
    meant = named.strip().lower()
    for each in known:
        if meant in (each, each.removeprefix(OWN), label_of(each)):
            return each
    raise UserError(f"{ask}: {', '.join(each.removeprefix(OWN) for each in known)}.")

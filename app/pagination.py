"""Numbered pages of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.errors import NotFound

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page: `number` counts from 1, `total` counts all items of all pages."""

    items: Sequence[Item]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def previous(self) -> int | None:
        """The number of the page before, or None on the first."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the page after, or None on the last."""
        return self.number + 1 if self.number < self.pages else None

    @property
    def window(self) -> list[int | None]:
        """Page numbers to offer: first, last and those around this one; None stands for a gap."""
        near = {1, self.pages, *range(self.number - 2, self.number + 3)}
        shown = sorted(n for n in near if 1 <= n <= self.pages)
        window: list[int | None] = []
        for number in shown:
            last = window[-1] if window else None
            if last is not None and number == last + 2:
                window.append(last + 1)
            elif last is not None and number > last + 2:
                window.append(None)
            window.append(number)
        return window


def offset_of(number: int, size: int) -> int:
    """Return how many items stand before page `number`; raise NotFound below the first page."""
    if number < 1:
        raise NotFound("There is no page %(number)s.", number=number)
    return (number - 1) * size


def check_page(page: Page[Item]) -> Page[Item]:
    """Return `page`; raise NotFound when its number lies past the last page."""
    if page.number > page.pages:
        raise NotFound("There is no page %(number)s. The last page is %(pages)s.", number=page.number, pages=page.pages)
    return page

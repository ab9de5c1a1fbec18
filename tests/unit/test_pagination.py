import pytest

from app.errors import NotFound
from app.pagination import Page, check_page, offset_of


def page(number, total=95, size=10):
    return Page([], total, number, size)


def test_counts_pages():
    assert page(1).pages == 10
    assert page(1, total=0).pages == 1
    assert page(1, total=100).pages == 10


def test_knows_its_neighbours():
    assert (page(1).previous, page(1).next) == (None, 2)
    assert (page(10).previous, page(10).next) == (9, None)


@pytest.mark.parametrize(
    ("number", "window"),
    [
        (1, [1, 2, 3, None, 10]),
        (4, [1, 2, 3, 4, 5, 6, None, 10]),
        (5, [1, 2, 3, 4, 5, 6, 7, None, 10]),
        (6, [1, None, 4, 5, 6, 7, 8, 9, 10]),
    ],
)
def test_offers_first_last_and_near_pages(number, window):
    assert page(number).window == window


def test_a_gap_never_hides_a_single_page():
    for number in range(1, 11):
        window = page(number).window
        for at, entry in enumerate(window):
            if entry is None:
                assert window[at + 1] - window[at - 1] > 2


def test_refuses_pages_that_do_not_exist():
    with pytest.raises(NotFound):
        check_page(page(11))
    with pytest.raises(NotFound):
        offset_of(0, 10)
    assert check_page(page(1, total=0)).number == 1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.folding import fold, fold_with_offsets


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("任務分配", "任务分配"),
        ("圖書館", "图书馆"),
        ("ＦａｓｔＡＰＩ　２", "fastapi 2"),
        ("Café naïve", "cafe naive"),
        ("Cafe\u0301", "cafe"),
        ("ﬁle №①", "file no1"),
        ("Straße", "strasse"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("ガ", "ガ"),
        ("한글", "한글"),
    ],
)
def test_folds(text, folded):
    assert fold(text) == folded


@given(st.text())
def test_every_folded_character_leads_back_to_its_source(text):
    folded, offsets = fold_with_offsets(text)
    assert folded == fold(text)
    assert len(offsets) == len(folded) + 1
    assert offsets[-1] == len(text)
    for at, character in enumerate(folded):
        assert character in fold(text[offsets[at]])


@given(st.text())
def test_folding_twice_changes_nothing_for_search(text):
    assert fold(fold(fold(text))) == fold(fold(text))

from hypothesis import given
from hypothesis import strategies as st

from app.search.analysis import characters, stem, terms
from app.search.folding import fold


def words(text):
    return [term.text for term in terms(fold(text))]


def test_english_words_become_stems():
    assert words("Workers are distributing requests") == ["worker", "are", "distribut", "request"]


def test_chinese_runs_become_pairs():
    assert words("任務分配") == ["任务", "务分", "分配"]
    assert words("灯") == ["灯"]


def test_scripts_split_at_their_border():
    assert words("uvicorn进程") == ["uvicorn", "进程"]
    assert words("在linux上使用meld") == ["在", "linux", "上使", "使用", "meld"]


def test_terms_stand_one_after_the_other_across_scripts():
    assert [term.position for term in terms(fold("设置workers参数值2"))] == [0, 1, 2, 3, 4]


def test_languages_named_with_signs_keep_them():
    assert words("C++ and C# in c") == ["c++", "and", "c#", "in", "c"]


def test_possessives_are_their_word():
    assert words("Python's") == [stem("python")]


def test_single_characters():
    assert characters(fold("燈 and 火")) == {"灯", "火"}


@given(st.text())
def test_spans_lie_in_the_text_in_order(text):
    folded = fold(text)
    last = -1
    for term in terms(folded):
        assert 0 <= term.start < term.end <= len(folded)
        assert term.text
        assert term.position > last
        last = term.position

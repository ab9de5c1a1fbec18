"""Languages: tags as people write them, and texts that do not say theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.language import canonical, detect, simplest


@pytest.mark.parametrize(
    ("tag", "full", "short"),
    [
        ("en", "en", "en"),
        ("EN-us", "en-US", "en"),
        ("en_GB", "en-GB", "en-GB"),
        ("zh", "zh", "zh"),
        ("zh-cn", "zh-CN", "zh"),
        ("zh-Hans", "zh-Hans", "zh"),
        ("zh_TW", "zh-TW", "zh-Hant"),
        ("zh-hant", "zh-Hant", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant-HK", "zh-Hant"),
        ("pt-br", "pt-BR", "pt"),
        ("pt-PT", "pt-PT", "pt-PT"),
        (" de ", "de", "de"),
    ],
)
def test_known_tags(tag, full, short):
    assert canonical(tag) == full
    assert simplest(tag) == short


@pytest.mark.parametrize("tag", ["", "klingon", "xx", "e", "docs", "en-XXX-1", "中文", "a" * 500, "en/US", "-"])
def test_other_words_are_no_languages(tag):
    assert canonical(tag) is None
    assert simplest(tag) is None


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("", "en"),
        ("123 !?", "en"),
        ("How are requests distributed?", "en"),
        ("请求是怎样分配的？", "zh"),
        ("請求是怎樣分配的？", "zh-Hant"),
        ("FastAPI 设置 workers 后任务按什么策略分", "zh"),
        ("これはテストです。", "ja"),
        ("이것은 시험입니다", "ko"),
        ("Это проверка", "ru"),
        ("A long English text about something else that quotes 中文 once or twice.", "en"),
    ],
)
def test_detect(text, lang):
    assert detect(text) == lang


@given(st.text())
def test_any_text_and_any_tag(text):
    assert canonical(detect(text))
    found = canonical(text)
    assert found is None or canonical(found) == found

"""How the site is, for administrators."""

import pytest

from app.models import Role
from app.services.backup import back_up


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("lang", "before", "after"),
    [("en", "There has been no backup yet", "Last backup: "), ("zh-Hans", "还没有做过备份", "上次备份：")],
)
def test_the_last_backup(library, signed_in, tmp_path, lang, before, after):
    client = signed_in(Role.ADMIN)
    client.headers["Accept-Language"] = lang
    page = client.get("/-/status").text
    assert before in page
    assert after not in page
    back_up(library.settings, tmp_path / "site.tar.gz", {})
    page = client.get("/-/status").text
    assert before not in page
    assert after in page
    assert "site.tar.gz" in page

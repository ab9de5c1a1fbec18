"""Signing in through another site, with both sites running and a real browser between them."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import start, stop
from tests.servers import free_port, put
from tests.web.providers import real_provider, register

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scripts", [True, False])
def test_the_way_through_the_provider_and_back(browser: Browser, data, scripts):
    port = free_port()
    with real_provider() as issuer:
        client_id, secret = register(issuer, f"http://127.0.0.1:{port}")
        claims = {"email": "zoe@example.org", "email_verified": True, "name": "佐伊"}
        put(f"{issuer}/users/zoe", json=claims).raise_for_status()
        settings = {"ISSUER": issuer, "CLIENT_ID": client_id, "CLIENT_SECRET": secret, "NAME": "Example ID"}
        server = start(data, port=port, **{f"OMNIRACLE_OIDC_{name}": text for name, text in settings.items()})
        context = browser.new_context(base_url=server.url, locale="zh-CN", java_script_enabled=scripts)
        try:
            page = context.new_page()
            page.goto("/contribute")  # which asks to sign in first
            page.get_by_role("link", name="使用 Example ID 继续").click()
            page.locator("input[name=sub]").fill("zoe")
            page.get_by_role("button", name="Authorize").first.click()
            expect(page.get_by_role("heading", name="撰写答案")).to_be_visible()
            page.goto("/account")
            expect(page.get_by_role("heading", name="佐伊", level=1)).to_be_visible()
            page.get_by_role("button", name="退出登录").first.click()
            expect(page.get_by_role("link", name="登录")).to_be_visible()
        finally:
            context.close()
            stop(server)

"""Takes the pictures in docs/screenshots: `.venv/bin/python .ci/screenshots.py`, after `make test` has set all up."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.e2e.conftest import start, stop  # noqa: E402

SEED = "/questions/fastapi-workers-celue"
DESKTOP, PHONE = (1280, 860), (390, 844)
# Name: address, size, theme, language.
PICTURES = {
    "home": ("/", DESKTOP, "light", "en"),
    "home-phone-dark": ("/", PHONE, "dark", "zh-Hans"),
    "question": (SEED, DESKTOP, "light", "zh-Hans"),
    "question-dark": ("/questions/how-requests-reach-fastapi-workers", DESKTOP, "dark", "en"),
    "question-phone": (SEED, PHONE, "light", "zh-Hans"),
    "sources": (f"{SEED}#page-resources", DESKTOP, "light", "zh-Hans"),
    "search": ("/search?q=任務分配", DESKTOP, "light", "zh-Hans"),
    "search-phone-dark": ("/search?q=workers", PHONE, "dark", "en"),
    "topics": ("/tags", DESKTOP, "dark", "en"),
    "workers": ("/-/workers", DESKTOP, "light", "en"),
}


def main() -> None:
    """Start the site with the starter answers, and take each picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        admin = {"OMNIRACLE_ADMIN_EMAIL": "admin@example.org", "OMNIRACLE_ADMIN_PASSWORD": "only for these pictures"}
        server = start(Path(folder) / "var", **admin)
        for path in (path for path, *_ in PICTURES.values() for _ in range(8)):
            server.get(path)  # a site that has just started is slower than it is
        chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (path, (width, height), theme, lang) in PICTURES.items():
            context = browser.new_context(
                base_url=server.url,
                viewport={"width": width, "height": height},
                color_scheme=theme,
                device_scale_factor=2 if width < 500 else 1,
            )
            context.add_cookies([{"name": "lang", "value": lang, "url": server.url}])
            page = context.new_page()
            page.goto(path)
            page.wait_for_timeout(2500 if path == "/-/workers" else 500)
            page.screenshot(path=PROJECT / "docs" / "screenshots" / f"{name}.png")
            context.close()
        browser.close()
        stop(server)


if __name__ == "__main__":
    main()

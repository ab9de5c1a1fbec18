"""All routers, in one list."""

from app.web.routes import about, api, health, home, preferences, questions, search, static, tags, wanted, workers

ROUTERS = [
    home.router,
    questions.router,
    tags.router,
    search.router,
    wanted.router,
    about.router,
    preferences.router,
    workers.router,
    health.router,
    api.router,
    static.router,
]

__all__ = ["ROUTERS"]

"""All routers, in one list."""

from app.web.routes import (
    about,
    api,
    api_docs,
    health,
    home,
    preferences,
    questions,
    search,
    static,
    tags,
    wanted,
    workers,
)

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
    api_docs.router,
    api.router,
    static.router,
]

__all__ = ["ROUTERS"]

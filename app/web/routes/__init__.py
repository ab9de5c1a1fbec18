"""All routers, in one list."""

from app.web.routes import (
    about,
    account,
    admin,
    api,
    api_contributions,
    api_docs,
    conflict,
    contribute,
    health,
    history,
    home,
    preferences,
    questions,
    review,
    search,
    sign_in,
    static,
    tags,
    wanted,
    workers,
)

ROUTERS = [
    home.router,
    contribute.router,
    conflict.router,
    questions.router,
    history.router,
    tags.router,
    search.router,
    wanted.router,
    review.router,
    sign_in.router,
    account.router,
    admin.router,
    about.router,
    preferences.router,
    workers.router,
    health.router,
    api_docs.router,
    api.router,
    api_contributions.router,
    static.router,
]

__all__ = ["ROUTERS"]

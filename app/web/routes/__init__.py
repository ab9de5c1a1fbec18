"""All routers, in one list."""

from starlette.routing import Route

from app.web.routes import (
    about,
    account,
    admin,
    api,
    api_contributions,
    api_docs,
    api_library,
    conflict,
    contribute,
    crawlers,
    experiments,
    feedback,
    feeds,
    health,
    history,
    home,
    images,
    mcp,
    metrics,
    openid,
    preferences,
    questions,
    review,
    search,
    second_factor,
    sign_in,
    social,
    static,
    tags,
    wanted,
    workers,
)

# The routes are tried in turn: what is asked for most comes first.
ROUTERS = [
    questions.router,
    search.router,
    api.router,
    home.router,
    contribute.router,
    conflict.router,
    feeds.router,
    history.router,
    feedback.router,
    tags.router,
    wanted.router,
    images.router,
    social.router,
    review.router,
    sign_in.router,
    openid.router,
    account.router,
    second_factor.router,
    admin.router,
    admin.status_router,
    about.router,
    crawlers.router,
    crawlers.suggest_router,
    preferences.router,
    workers.router,
    experiments.router,
    metrics.router,
    health.router,
    api_docs.router,
    api_library.router,
    api_contributions.router,
    mcp.router,
    static.router,
]

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]

# The names under which answers are counted.
ROUTE_PATHS = tuple(sorted({route.path for route in ROUTES}))

__all__ = ["ROUTERS", "ROUTES", "ROUTE_PATHS"]

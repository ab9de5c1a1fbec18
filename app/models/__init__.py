"""The tables, one import for all of them."""

from app.models.article import Alias, Article, Pin, Translation, ViewCount
from app.models.bookkeeping import IndexJob, Rendering, Site, SourceFile
from app.models.resource import ArticleResource, Resource, Section
from app.models.revision import Origin, Revision
from app.models.tag import ArticleTag, Tag
from app.models.wanted import Wanted

__all__ = [
    "Alias",
    "Article",
    "ArticleResource",
    "ArticleTag",
    "IndexJob",
    "Origin",
    "Pin",
    "Rendering",
    "Resource",
    "Revision",
    "Section",
    "Site",
    "SourceFile",
    "Tag",
    "Translation",
    "ViewCount",
    "Wanted",
]

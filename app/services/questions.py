"""A question with all that its page shows of it and of other articles: it is what it was as long as its digest is."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

from sqlmodel import Session

from app.models import Article, Section
from app.services.relating import Related, RelatedQuestions
from app.storage import articles, feedback, references, resources, similar, tags
from app.storage.articles import Named
from app.storage.resources import ResourceCard


@dataclass(frozen=True)
class Question:
    """What the database says of one question."""

    article: Article
    tags: tuple[str, ...]
    resources: dict[Section, list[ResourceCard]]
    helped: int  # readers
    translations: list[Named]
    previous: Named | None  # on the first of its topics, in its language
    following: Named | None
    related: Related

    @property
    def others(self) -> list[int]:
        """The ids of the other articles that it leads to."""
        named = [*self.translations, *(each for each in (self.previous, self.following) if each)]
        return [*(each.id for each in named), *(card.id for card in self.related.cards)]

    @cached_property
    def digest(self) -> str:
        """What tells it from itself before a change; dates of looks at links are left out, they change all the time."""
        cards = [[replace(card, checked_at=None) for card in section] for section in self.resources.values()]
        names = (self.tags, self.translations, self.previous, self.following, self.related.cards)
        shown = repr((self.article.model_dump(), cards, self.helped, names))
        return hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def of(session: Session, article: Article, related: RelatedQuestions) -> Question:
    """Return the question of a live article."""
    assert article.id is not None
    names = tags.names_of(session, [article.id]).get(article.id, ())
    translations = references.twins(session, article)
    previous, following = references.neighbours(session, article, names[0]) if names else (None, None)
    return Question(
        article=article,
        tags=names,
        resources=resources.of_article(session, article.id),
        helped=feedback.helped(session, article.id),
        translations=translations,
        previous=previous,
        following=following,
        related=related.of(session, article, translations),
    )


def digest_now(session: Session, article_id: int, related: RelatedQuestions) -> str | None:
    """Return the digest of an article's question as it is now; None where it cannot be known without the index."""
    article = articles.by_id(session, article_id)
    if article is None or similar.of(session, article_id) is None:
        return None
    return of(session, article, related).digest

"""The tables, one import for all of them."""

from sqlalchemy.orm import configure_mappers

from app.choices import ExperimentMode, Role, Scope
from app.models.account import (
    Account,
    ApiToken,
    AuditEntry,
    BrowserSession,
    LinkedIdentity,
    OneTimeLink,
    Purpose,
    RateCount,
    RecoveryCode,
    SecondFactor,
)
from app.models.article import Alias, Article, Pin, Similar, Translation, ViewCount
from app.models.bookkeeping import ArticleChange, IndexJob, Rendering, Site, SourceFile
from app.models.contribution import Draft, Proposal, ProposalState
from app.models.experiment import Experiment
from app.models.feedback import Feedback, FeedbackKind
from app.models.host import Host
from app.models.image import Image
from app.models.resource import ArticleResource, LinkState, Resource, Section
from app.models.revision import Origin, Revision
from app.models.tag import ArticleTag, Tag
from app.models.wanted import Wanted

# Each worker would else do so for itself, with its first statement.
configure_mappers()

__all__ = [
    "Account",
    "Alias",
    "ApiToken",
    "Article",
    "ArticleChange",
    "ArticleResource",
    "ArticleTag",
    "AuditEntry",
    "BrowserSession",
    "Draft",
    "Experiment",
    "ExperimentMode",
    "Feedback",
    "FeedbackKind",
    "Host",
    "Image",
    "IndexJob",
    "LinkState",
    "LinkedIdentity",
    "OneTimeLink",
    "Origin",
    "Pin",
    "Proposal",
    "ProposalState",
    "Purpose",
    "RateCount",
    "RecoveryCode",
    "Rendering",
    "Resource",
    "Revision",
    "Role",
    "Scope",
    "SecondFactor",
    "Section",
    "Similar",
    "Site",
    "SourceFile",
    "Tag",
    "Translation",
    "ViewCount",
    "Wanted",
]

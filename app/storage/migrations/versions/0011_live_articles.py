"""Indexes of the articles that are not deleted: lists and counts need nothing of the table, whose rows are long."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
DELETED = sa.text("deleted_at IS NOT NULL")
FORMER = ("created_at", "lang", "updated_at")


def upgrade() -> None:
    for name in FORMER:
        op.drop_index(f"ix_article_{name}", "article")
    for name in ("created", "updated"):
        columns = [f"{name}_at", "id", "lang"]
        op.create_index(f"ix_article_live_{name}", "article", columns, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("ix_article_deleted", "article", ["deleted_at"], sqlite_where=DELETED, postgresql_where=DELETED)


def downgrade() -> None:
    for name in ("live_created", "live_updated", "deleted"):
        op.drop_index(f"ix_article_{name}", "article")
    for name in FORMER:
        op.create_index(f"ix_article_{name}", "article", [name])

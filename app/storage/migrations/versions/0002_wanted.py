"""Questions that were searched for and have no answer yet."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wanted",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("query", sa.String(length=200), nullable=False),
        sa.Column("lang", sa.String(length=35), nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["article.id"], name=op.f("fk_wanted_answered_by_article"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wanted")),
        sa.UniqueConstraint("key", name=op.f("uq_wanted_key")),
    )
    with op.batch_alter_table("wanted", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wanted_answered_by"), ["answered_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_wanted_closed_at"), ["closed_at"], unique=False)


def downgrade() -> None:
    op.drop_table("wanted")

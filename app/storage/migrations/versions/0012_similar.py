"""Which articles are like which; the neighbours in a topic by an index; administrators raise the content's version."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# The home page of a site without an administrator leads to making one.
RAISES = {
    "account_insert": "INSERT ON account WHEN NEW.role = 'admin'",
    "account_update": "UPDATE OF role ON account",
    "account_delete": "DELETE ON account WHEN OLD.role = 'admin'",
}


def upgrade() -> None:
    op.create_table(
        "similar",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_similar_article_id_article"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_similar")),
    )
    op.create_index(op.f("ix_similar_other_id"), "similar", ["other_id"])
    op.drop_index("ix_article_tag_tag_id", "article_tag")
    op.create_index("ix_article_tag_tag_id", "article_tag", ["tag_id", "article_id"])
    if op.get_bind().dialect.name == "sqlite":
        for name, event in RAISES.items():
            trigger = f"TRIGGER {name}_raises_version AFTER {event}"
            op.execute(f"CREATE {trigger} BEGIN UPDATE site SET version = version + 1; END")  # noqa: S608  ours


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in RAISES:
            op.execute(f"DROP TRIGGER {name}_raises_version")
    op.drop_index("ix_article_tag_tag_id", "article_tag")
    op.create_index("ix_article_tag_tag_id", "article_tag", ["tag_id"])
    op.drop_table("similar")

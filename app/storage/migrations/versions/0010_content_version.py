"""The version of the content, raised by every change of what readers see."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What pages show. The end of an index job is among it, because what a search finds has changed then. Views, sessions
# and the dates of looks at links are not: they change all the time, and no page has to be right about them at once.
EVERY = ("INSERT", "UPDATE", "DELETE")
CHANGES = {
    "alias": EVERY,
    "article": EVERY,
    "article_resource": EVERY,
    "article_tag": EVERY,
    "feedback": ("INSERT", "UPDATE OF kind", "DELETE"),
    "index_job": ("DELETE",),
    "pin": EVERY,
    "resource": ("UPDATE OF url, state, moved_to",),
    "tag": EVERY,
    "translation": EVERY,
}


def upgrade() -> None:
    with op.batch_alter_table("site") as batch_op:
        batch_op.add_column(sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "sqlite":  # elsewhere no page is kept yet
        for table, changes in CHANGES.items():
            for change in changes:
                trigger = f"TRIGGER {_name(table, change)} AFTER {change} ON {table}"
                op.execute(f"CREATE {trigger} BEGIN UPDATE site SET version = version + 1; END")  # noqa: S608  ours


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table, changes in CHANGES.items():
            for change in changes:
                op.execute(f"DROP TRIGGER {_name(table, change)}")
    with op.batch_alter_table("site") as batch_op:
        batch_op.drop_column("version")


def _name(table: str, change: str) -> str:
    return f"{table}_{change.partition(' ')[0].lower()}_raises_version"

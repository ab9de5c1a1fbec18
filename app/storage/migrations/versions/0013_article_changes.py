"""Which article a change of the content was about, so that pages of others need not be made again."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

EVERY = ("INSERT", "UPDATE", "DELETE")
# What may change which articles a page is about: who translates whom, what comes before and after in a topic, what an
# address stands for. `site.structure` is the version in which any of it was changed last.
STRUCTURE = {
    "alias": EVERY,
    "article": ("INSERT", "DELETE"),
    "article_tag": EVERY,
    "tag": ("UPDATE", "DELETE"),
    "translation": EVERY,
}
STRUCTURAL_COLUMNS = ("slug", "lang", "created_at", "deleted_at")
# What is shown of one article, and the columns whose change counts.
OF_ARTICLE = {
    "article_resource": EVERY,
    "feedback": ("INSERT", "UPDATE OF kind", "DELETE"),
    "pin": EVERY,
    "similar": ("UPDATE", "DELETE"),
}
CHANGED = (
    "INSERT INTO article_change (article_id, version) SELECT {} version FROM site WHERE true"
    " ON CONFLICT (article_id) DO UPDATE SET version = excluded.version;"
)


def upgrade() -> None:
    with op.batch_alter_table("site") as batch_op:
        batch_op.add_column(sa.Column("structure", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "article_change",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_article_change")),
    )
    if op.get_bind().dialect.name != "sqlite":  # elsewhere no page is kept yet
        return
    for table, changes in STRUCTURE.items():
        for change in changes:
            _replace(table, change, _raised("version", "structure"))
    is_structural = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in STRUCTURAL_COLUMNS)
    structure = f"CASE WHEN {is_structural} THEN version + 1 ELSE structure END"
    raised = f"UPDATE site SET version = version + 1, structure = {structure};"  # noqa: S608  ours
    _replace("article", "UPDATE", raised + CHANGED.format("NEW.id,"))
    for table, changes in OF_ARTICLE.items():
        for change in changes:
            row = "OLD" if change == "DELETE" else "NEW"
            _replace(table, change, _raised("version") + CHANGED.format(f"{row}.article_id,"))
    users = "SELECT DISTINCT article_id, version FROM article_resource, site WHERE resource_id = NEW.id"
    insert = CHANGED.replace("SELECT {} version FROM site WHERE true", users)
    _replace("resource", "UPDATE OF url, state, moved_to", _raised("version") + insert)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        changed = STRUCTURE | OF_ARTICLE | {"article": EVERY, "resource": ("UPDATE OF url, state, moved_to",)}
        for table, changes in changed.items():
            for change in changes:
                _replace(table, change, _raised("version"))
        for change in OF_ARTICLE["similar"]:
            op.execute(f"DROP TRIGGER {_name('similar', change)}")
    op.drop_table("article_change")
    op.drop_column("site", "structure")  # in place: making the table anew would break the triggers that name it


def _raised(*columns: str) -> str:
    raised = ", ".join(f"{column} = version + 1" for column in columns)
    return f"UPDATE site SET {raised};"  # noqa: S608  ours


def _replace(table: str, change: str, body: str) -> None:
    name = _name(table, change)
    op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute(f"CREATE TRIGGER {name} AFTER {change} ON {table} BEGIN {body} END")


def _name(table: str, change: str) -> str:
    return f"{table}_{change.partition(' ')[0].lower()}_raises_version"

"""On PostgreSQL, too, every change of what readers see raises the version of the content, and tells all hosts.

What counts as a change is what the triggers of 0010, 0012 and 0013 say for SQLite. Times that are counted in numbers
get columns that hold them there, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

EVERY = "INSERT OR UPDATE OR DELETE"

# Within a transaction the number is raised once: each update of a row leaves an old one behind until it is committed,
# and an import changes thousands of rows. The row that this transaction has written bears its number.
RAISE_VERSION = "UPDATE site SET version = version + 1 WHERE xmin <> pg_current_xact_id()::xid;"
RAISE_STRUCTURE = RAISE_VERSION + " UPDATE site SET structure = version WHERE structure <> version;"  # noqa: S608  ours
CHANGED = (
    "INSERT INTO article_change (article_id, version) SELECT {} version FROM site"
    " ON CONFLICT (article_id) DO UPDATE SET version = excluded.version"
    " WHERE article_change.version <> excluded.version;"
)
FUNCTIONS = {
    "content_changed": RAISE_VERSION,
    "structure_changed": RAISE_STRUCTURE,
    "article_changed": f"""
        IF OLD.slug IS DISTINCT FROM NEW.slug OR OLD.lang IS DISTINCT FROM NEW.lang
            OR OLD.created_at IS DISTINCT FROM NEW.created_at OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at
        THEN {RAISE_STRUCTURE}
        ELSE {RAISE_VERSION}
        END IF;
        {CHANGED.format("NEW.id,")}""",
    "part_of_article_changed": f"""
        {RAISE_VERSION}
        IF TG_OP = 'DELETE' THEN {CHANGED.format("OLD.article_id,")}
        ELSE {CHANGED.format("NEW.article_id,")}
        END IF;""",
    "resource_changed": RAISE_VERSION
    + CHANGED.replace(
        "SELECT {} version FROM site",
        "SELECT DISTINCT article_id, version FROM article_resource, site WHERE resource_id = NEW.id",
    ),
    "version_raised": "PERFORM pg_notify('omniracle_content', '');",
}
TRIGGERS = (
    ("index_job", "DELETE", "content_changed"),
    ("alias", EVERY, "structure_changed"),
    ("article", "INSERT OR DELETE", "structure_changed"),
    ("article_tag", EVERY, "structure_changed"),
    ("tag", "INSERT", "content_changed"),
    ("tag", "UPDATE OR DELETE", "structure_changed"),
    ("translation", EVERY, "structure_changed"),
    ("article", "UPDATE", "article_changed"),
    ("article_resource", EVERY, "part_of_article_changed"),
    ("feedback", "INSERT OR UPDATE OF kind OR DELETE", "part_of_article_changed"),
    ("pin", EVERY, "part_of_article_changed"),
    ("similar", "UPDATE OR DELETE", "part_of_article_changed"),
    ("resource", "UPDATE OF url, state, moved_to", "resource_changed"),
    ("account", "UPDATE OF role", "content_changed"),
    ("site", "UPDATE OF version", "version_raised"),
)
ADMINS = {"INSERT": "NEW", "DELETE": "OLD"}  # the home page of a site without one leads to making one


def upgrade() -> None:
    _set_type_of_times(sa.Integer(), sa.BigInteger())
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$")
    for table, changes, function in TRIGGERS:
        trigger = _name(table, changes)
        op.execute(f'CREATE TRIGGER {trigger} AFTER {changes} ON "{table}" FOR EACH ROW EXECUTE FUNCTION {function}()')
    for change, row in ADMINS.items():
        op.execute(
            f"CREATE TRIGGER {_name('account', change)} AFTER {change} ON account FOR EACH ROW"
            f" WHEN ({row}.role = 'admin') EXECUTE FUNCTION content_changed()"
        )


def downgrade() -> None:
    _set_type_of_times(sa.BigInteger(), sa.Integer())
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, changes, _ in (*TRIGGERS, *(("account", change, "") for change in ADMINS)):
        op.execute(f'DROP TRIGGER {_name(table, changes)} ON "{table}"')
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")


def _set_type_of_times(before: sa.Integer, after: sa.Integer) -> None:
    for table, column in (("source_file", "mtime_ns"), ("rate_count", "period_start")):
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column, existing_type=before, type_=after, existing_nullable=False)


def _name(table: str, changes: str) -> str:
    return f"{table}_{changes.partition(' ')[0].lower()}_raises_version"

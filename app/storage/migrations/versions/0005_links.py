"""What is known of resources, and their archived copies."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("article_resource", schema=None) as batch_op:
        batch_op.add_column(sa.Column("archive", sa.String(length=2000), server_default="", nullable=False))

    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("status", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("moved_to", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("check_after", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("etag", sa.String(length=200), nullable=True))
        batch_op.create_index(batch_op.f("ix_resource_check_after"), ["check_after"], unique=False)
        batch_op.create_index(batch_op.f("ix_resource_state"), ["state"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_state"))
        batch_op.drop_index(batch_op.f("ix_resource_check_after"))
        batch_op.drop_column("etag")
        batch_op.drop_column("check_after")
        batch_op.drop_column("checked_at")
        batch_op.drop_column("failures")
        batch_op.drop_column("moved_to")
        batch_op.drop_column("status")
        batch_op.drop_column("state")

    with op.batch_alter_table("article_resource", schema=None) as batch_op:
        batch_op.drop_column("archive")

"""What is done before the site can be served: the schema, the content folder, the search index."""

from app.cli.console import print_report, progress
from app.config import Settings
from app.services import files, indexing
from app.services.engines import search_engine
from app.services.first_admin import ensure_first_admin
from app.services.hosts import Hosts
from app.services.own_files import OwnFiles
from app.services.rendering import bring_up_to_date
from app.services.syncing import sync
from app.storage import renderings, schema
from app.storage.database import Database


def prepare(settings: Settings) -> str | None:
    """Make everything ready; return the key of the link to the first administrator, None when there is one.

    Raises what its steps raise, OperatorError among it.
    """
    database = Database.of(settings)
    index = search_engine(settings)
    try:
        schema.migrate(database)
        files.drop_partial(settings.images_dir)
        files.drop_partial(settings.social_dir)
        with progress() as update:
            is_ready = indexing.ensure(database, index, update, thorough=True, may_leave=True)
            own = OwnFiles.of(settings, database)
            report = sync(database, index if is_ready else None, settings.content_dir, update, own=own, is_start=True)
            bring_up_to_date(database, update)
        with database.write() as session:
            renderings.drop_unused(session)
        Hosts(settings, database).begin()
        key = ensure_first_admin(database, settings.admin_email, settings.admin_password)
    finally:
        index.close()
        database.close()
    if report.created or report.updated or report.problems:
        print_report(report, "Synced")
    return key

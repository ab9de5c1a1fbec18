"""Loading at once all that pages are made of: templates, static files, the words of each language.

Templates are translated to Python first, which takes as long as importing all the rest: the translations are kept.
"""

from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from babel import Locale
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from app.web import language, templating
from app.web.program import program

_TRANSLATED_BY = (version("jinja2"), Path(templating.__file__).read_text(encoding="utf-8"))


def load_pages(folder: Path) -> None:
    """Load all of it, so that it is of one version with the code that runs, whatever is put there later.

    Translations are kept in `folder` until the next start.
    """
    program()
    templating.assets()
    environment = templating.environment()
    environment.bytecode_cache = _Translations(folder)
    for name in environment.list_templates():
        environment.get_template(name)
    for code, locale in language.LOCALES.items():
        language.catalogue(code)
        assert Locale.parse(locale).date_formats  # Babel reads what it knows of a language when it is asked


class _Translations(FileSystemBytecodeCache):
    """A file for each template, made anew when the template, Jinja or our settings of Jinja have changed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(str(folder), "%s")

    def get_source_checksum(self, source: str) -> str:
        """Return what tells the text of a template, and all else that its translation depends on, from others."""
        return sha256("\0".join((*_TRANSLATED_BY, source)).encode()).hexdigest()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a translation; a folder that cannot be written to only costs time."""
        with suppress(OSError):
            super().dump_bytecode(bucket)

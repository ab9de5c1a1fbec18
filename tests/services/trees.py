"""Folders of files, and importing them."""

from app.services.importing import import_tree


def write(folder, path, content):
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return target


def run(library, folder, **options):
    return import_tree(library.database, library.index, folder, **options)

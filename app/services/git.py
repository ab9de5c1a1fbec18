"""The git repository around the content folder, by the git command; whatever it meets, the working tree stays whole."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from app.errors import OperatorError

TIMEOUT_S = 120
COMMITTER = ("-c", "user.name=Omniracle", "-c", "user.email=omniracle@localhost.invalid", "-c", "commit.gpgsign=false")

NAMELESS = "unnamed"
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"  # what git takes off both ends of a name


class GitFailed(Exception):
    """A git command failed; the text is the last line that it wrote."""


@dataclass(frozen=True)
class Author:
    """Who has written what is committed."""

    name: str
    address: str

    def environ(self) -> dict[str, str]:
        """Return what git is told: name and address apart, so that no name can be read as an address."""
        # Nothing is left of some names, which git refuses then.
        name = self.name if self.name.strip(_CRUD) else NAMELESS
        return {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": self.address}


@dataclass(frozen=True)
class Repository:
    """A repository, and where in it the content folder is."""

    top: Path
    prefix: str  # of the content folder below it, with a slash at the end; empty for the top itself

    def head(self) -> str | None:
        """Return the commit that is checked out, None before the first one."""
        return self._commit("HEAD")

    def upstream(self) -> str | None:
        """Return the newest known commit of the branch that this one follows, None when it follows none."""
        return self._commit("@{upstream}")

    def fetch(self) -> None:
        """Ask the upstream for news; raise GitFailed when that fails."""
        self.run("fetch", "--quiet", "--no-tags")

    def push(self) -> None:
        """Send our commits; raise GitFailed when they are refused or there is no connection."""
        self.run("push", "--quiet")

    def contains(self, commit: str) -> bool:
        """Say whether `commit` is part of what is checked out."""
        return self._succeeds("merge-base", "--is-ancestor", commit, "HEAD")

    def changes_of(self, commit: str) -> tuple[str | None, list[str], list[str]]:
        """Return where `commit` parted from what is checked out, and what was written and deleted since.

        Both are paths in the content folder. Without such a place it is None, and all files are new.
        """
        try:
            base = self.run("merge-base", "HEAD", commit).strip()
        except GitFailed:
            listed = self.run("ls-tree", "-r", "-z", "--name-only", commit, "--", self.prefix or ".")
            return None, self._inside(listed.split("\0")), []
        fields = self.run("diff", "--name-status", "--no-renames", "-z", base, commit, "--", self.prefix or ".").split(
            "\0"
        )
        status = dict(zip(fields[1::2], fields[0::2], strict=False))
        written = [path for path, kind in status.items() if kind != "D"]
        return base, self._inside(written), self._inside([path for path, kind in status.items() if kind == "D"])

    def content(self, commit: str, path: str) -> bytes | None:
        """Return a file of the content folder as `commit` has it, None when it has none."""
        done = self._call("cat-file", "blob", f"{commit}:{self.prefix}{path}")
        return done.stdout if done.returncode == 0 else None

    def take_in(self, commit: str) -> None:
        """Make `commit` part of what is checked out; where both have changed a line, ours stays.

        It is merged in a working tree of its own: files that somebody is working on are left as they are.
        """
        before = self.head()
        if before is None:
            raise GitFailed("there is no commit yet")
        with self._worktree(before) as apart:
            options = ("-X", "ours", "--no-edit", "--allow-unrelated-histories", "--quiet")
            if not apart._succeeds(*COMMITTER, "merge", *options, commit):  # noqa: SLF001  one of us
                apart.run("checkout", "--quiet", "--ours", "--", ".", may_fail=True)
                apart.run("add", "--all")
                apart.run(*COMMITTER, "commit", "--quiet", "--no-edit", "--allow-empty")
            merged = apart.head()
        assert merged is not None
        busy = self._files_unlike(before)
        changed = [path for path in self.run("diff", "--name-only", "-z", before, merged).split("\0") if path]
        self.run("update-ref", "HEAD", merged, before)
        self.run("reset", "--quiet", "--mixed")
        for path in changed:
            if path in busy:
                continue
            if self._succeeds("cat-file", "-e", f"HEAD:{path}"):
                self.run("checkout", "--quiet", "HEAD", "--", path)
            else:
                (self.top / path).unlink(missing_ok=True)

    def commit(self, path: str, *, author: Author, message: str, moment: datetime) -> bool:
        """Commit one file of the content folder as it is on disk; return False when nothing of it has changed."""
        name = f"{self.prefix}{path}"
        self.run("add", "--all", "--", name, may_fail=True)
        if self._succeeds("diff", "--cached", "--quiet", "HEAD", "--", name) and self.head() is not None:
            return False
        self.run(
            *COMMITTER, "commit", "--quiet", "--no-verify", "--date", moment.isoformat(),
            "--message", message, "--only", "--", name, environ=author.environ(),
        )  # fmt: skip
        return True

    def run(self, *arguments: str, may_fail: bool = False, environ: Mapping[str, str] = MappingProxyType({})) -> str:
        """Run a git command in the repository and return what it wrote; raise GitFailed unless it `may_fail`."""
        done = _git(self.top, *arguments, environ=environ)
        if done.returncode and not may_fail:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitFailed(lines[-1] if lines else f"git {arguments[0]} ended with {done.returncode}")
        return done.stdout.decode("utf-8", "surrogateescape")

    def _files_unlike(self, commit: str) -> set[str]:
        """Return the files that somebody is working on: that are not on disk as `commit` has them."""
        changed = self.run("diff", "--name-only", "-z", commit)
        untracked = self.run("ls-files", "--others", "-z")
        return {path for path in f"{changed}\0{untracked}".split("\0") if path}

    @contextmanager
    def _worktree(self, commit: str) -> Iterator["Repository"]:
        with tempfile.TemporaryDirectory(prefix="omniracle-git-") as folder:
            place = Path(folder) / "tree"
            self.run("worktree", "add", "--quiet", "--detach", str(place), commit)
            try:
                yield Repository(place, self.prefix)
            finally:
                self.run("worktree", "remove", "--force", str(place), may_fail=True)

    def _inside(self, paths: Sequence[str]) -> list[str]:
        return sorted(path.removeprefix(self.prefix) for path in paths if path and path.startswith(self.prefix))

    def _commit(self, name: str) -> str | None:
        done = self._call("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return done.stdout.decode().strip() or None

    def _succeeds(self, *arguments: str) -> bool:
        return self._call(*arguments).returncode == 0

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return _git(self.top, *arguments)


def repository_of(folder: Path) -> Repository:
    """Return the repository that `folder` is in; raise OperatorError when it is in none, or there is no git."""
    try:
        done = _git(folder, "rev-parse", "--show-toplevel", "--show-prefix")
    except FileNotFoundError as error:
        raise OperatorError("There is no git command: install git.") from error
    if done.returncode:
        raise OperatorError(f"{folder} is in no git repository: run `git init` there, or leave --git out.")
    top, prefix, *_ = [*done.stdout.decode("utf-8", "surrogateescape").split("\n"), "", ""]
    return Repository(Path(top), prefix)


def _git(
    folder: Path, *arguments: str, environ: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[bytes]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ours |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **environ}
    try:
        return subprocess.run(  # noqa: S603  no shell, and every path stands behind --
            ["git", "-C", str(folder), *arguments],  # noqa: S607  wherever the system has it
            env=ours,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitFailed(f"git {arguments[0]} took longer than {TIMEOUT_S} s") from error

"""What computed a result."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import judgekit


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of judgekit, Python and packages."""
    found = {"judgekit": judgekit.__version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str | None:
    """Return the git commit of the working folder, with ``+`` where files differ from it; None where there is none."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    command = ["git", *words]  # words of ours alone
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=20).stdout.strip()  # noqa: S603

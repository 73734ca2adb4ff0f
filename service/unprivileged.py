"""Which account an embedded server runs under, and where that account can reach its files.

PostgreSQL refuses to run as root. Started by root, a server runs as `nobody` (uid 65534); where the
way to its programs or data is closed to that account (a project under `/root`), they are copied to
a folder under the system's temporary directory that belongs to root and that all may enter.
"""

import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NOBODY = 65534
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Account:
    """The uid and gid a child takes on, or `None` to keep the parent's own."""

    uid: int | None
    gid: int | None

    def own(self, folder: Path, mode: int) -> Path:
        """Make `folder` if it is missing, give it to the account with `mode`, and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)
        if self.uid is not None or folder.stat().st_uid == os.geteuid():
            folder.chmod(mode)
        return folder

    def reaches(self, path: Path) -> bool:
        """Whether every folder on the way to `path` may be entered by the account."""
        return self.uid is None or all(
            folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents
        )

    def start(
        self, command: Sequence[str], output: IO[bytes], last_wish: signal.Signals
    ) -> subprocess.Popen[bytes]:
        """Start `command` as the account in a session of its own.

        On Linux the child gets `last_wish` when the thread that started it dies, so that a killed
        service leaves no server behind. A session of its own keeps a terminal's Ctrl-C away from
        the child: the parent stops it in order.
        """
        return subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.gid is None else [],
            start_new_session=True,
            preexec_fn=_die_with_parent(last_wish),
        )


def account_for_servers() -> Account:
    """Return the account for embedded servers: `nobody` when we are root, else our own."""
    return Account(NOBODY, NOBODY) if os.geteuid() == 0 else Account(None, None)


def shared_folder(name: str, belongs_to: Path) -> Path:
    """Return a folder under the system's temporary directory that all may enter and we own.

    The same `belongs_to` gives the same folder at the next start. Raises `PermissionError` when
    somebody else has made that folder: its content could not be trusted.
    """
    mark = hashlib.sha256(os.fsencode(belongs_to.resolve())).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"yinxin-{os.geteuid()}-{name}-{mark}"
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} exists and is not ours; remove it or set TMPDIR")
    folder.chmod(0o755)
    return folder


def kept_elsewhere(pointer: Path) -> Path:
    """Return the folder that the file `pointer` names; at first use make both.

    The folder is under the system's temporary directory, and all may enter it. It belongs to this
    pointer alone: a new project in an old one's place does not find the old one's data.
    """
    if pointer.exists() and (folder := Path(pointer.read_text("utf-8").strip())).is_dir():
        return folder
    folder = Path(tempfile.mkdtemp(prefix="yinxin-data-"))
    folder.chmod(0o755)
    pointer.write_text(f"{folder}\n", "utf-8")
    return folder


def reachable_programs(account: Account, programs: Path, say: Callable[[str], None]) -> Path:
    """Return a folder with the content of `programs` that `account` can reach, copied if need be."""
    if account.reaches(programs / "x"):
        return programs
    copy = shared_folder("programs", programs) / programs.name
    if not copy.exists():
        unfinished = copy.with_suffix(f".{os.getpid()}")
        previous = os.umask(0o022)
        try:
            shutil.copytree(programs, unfinished, symlinks=True)
            unfinished.rename(copy)
        finally:
            os.umask(previous)
    say(f"the server account cannot reach {programs}: its programs run from {copy}")
    return copy


def under_a_name(account: Account, command: list[str]) -> list[str]:
    """Return `command` as it must be run for the account to have a name; initdb insists on one.

    A container started with a bare uid has none: a user namespace lends it that of `nobody`.
    """
    try:
        pwd.getpwuid(os.geteuid() if account.uid is None else account.uid)
    except KeyError:
        if shutil.which("unshare"):
            return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", *command]
    return command


def _die_with_parent(last_wish: signal.Signals) -> Callable[[], None] | None:
    """Return what the child does between fork and exec. Linux only; elsewhere there is no such call."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(last_wish), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask_for_signal

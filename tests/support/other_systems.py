"""The program as on a system that is not here: without what POSIX alone has, on a console of another encoding."""

from __future__ import annotations

from pathlib import Path

from support.fresh_process import FreshProcess

SIGNALS = ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGSTOP", "SIGCONT")
FUNCTIONS = (
    "fork", "forkpty", "killpg", "setsid", "setpgid", "getsid", "getpgid", "getuid", "geteuid", "getgid", "sysconf",
    "uname", "sched_getaffinity", "fchmod", "chown", "mkfifo", "getloadavg", "posix_fallocate",
)  # fmt: skip
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog")
"""What Python has on POSIX alone: https://docs.python.org/3/library/os.html and the pages of these modules."""

PROGRAM = f"""
import os, signal, sys
import filelock, platformdirs, psutil  # their halves for Linux need what those for other systems do not
for module, names in ((signal, {SIGNALS}), (os, {FUNCTIONS})):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
sys.modules.update(dict.fromkeys({MODULES}))  # importing them fails
for name in list(sys.modules):  # our modules are imported again, without these names
    if name.partition(".")[0] == "spacediff":
        del sys.modules[name]
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(encoding=os.environ["CONSOLE"], errors="strict")
from spacediff.cli.commands import main
sys.exit(main(sys.argv[1:]))
"""


def elsewhere(*arguments: object, cwd: Path, env: dict[str, str], encoding: str) -> FreshProcess:
    """Start `spacediff ARGUMENTS` on a stand-in for another system, whose console has this encoding."""
    return FreshProcess(*arguments, cwd=cwd, env={**env, "CONSOLE": encoding}, program=PROGRAM, encoding=encoding)

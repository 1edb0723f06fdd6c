"""Who is who among a running server's processes, for those who watch and kill them."""

from contextlib import suppress

import psutil


def templates(supervisor: int) -> list[psutil.Process]:
    """What the workers of the supervisor with that process id are forked from: one, when all is well."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(supervisor).children():
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if "multiprocessing.forkserver" in " ".join(child.cmdline()):
                    found.append(child)
    return found


def workers(supervisor: int) -> list[psutil.Process]:
    """The living processes that serve."""
    return [child for template in templates(supervisor) for child in _children(template) if not gone(child)]


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended, buried or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children()
        return found
    except psutil.NoSuchProcess:
        return []

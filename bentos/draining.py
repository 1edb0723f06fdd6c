"""Stopping without losing a request: say so first, go on serving for a while, then finish.

Load balancers need some time to see `/readyz` say no. A request that was sent in the meantime would meet a
closed port.
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


def drain_on_sigterm(begin: Callable[[], None], drain_s: float) -> None:
    """On the first SIGTERM call `begin`, and hand the signal on to the server only after `drain_s` seconds.

    Called in the server's event loop, after the server has installed its own handler. `begin` runs in the
    loop; where it raises, the server is stopped nonetheless. Further SIGTERMs change nothing: where all
    processes of a group are sent one, a worker gets a second from its supervisor. A SIGINT still goes
    straight to the server. Outside the main thread, where no signal arrives, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread() or not drain_s:
        return
    loop = asyncio.get_running_loop()
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):
        return

    def drain(number: int) -> None:
        loop.call_later(drain_s, stop, number, None)
        begin()

    def told(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # a handler runs between any two instructions, maybe while the lock is held that a line of the log
        # needs: the rest is left to the loop, which is told as from another thread
        loop.call_soon_threadsafe(drain, number)

    signal.signal(signal.SIGTERM, told)

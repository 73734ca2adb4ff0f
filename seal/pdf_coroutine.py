"""Run pyHanko's coroutines from plain functions, on whatever thread the caller is."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")


def finish(coroutine: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Return what `coroutine` returns, having run it to its end in an event loop of its own.

    Where this thread runs a loop already, the own loop gets a thread of its own: asyncio allows
    one a thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(max_workers=1) as own_thread:
        return own_thread.submit(asyncio.run, coroutine).result()

"""Calls to the operating system whose errors carry no path.

An ``OSError`` holds the name of the file, which may be somebody's name. An exception that is raised while one is
handled keeps it as its context, so what is raised here is raised after the handler.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def attempt(call: Callable[[], T]) -> T | OSError:
    """What the call returns, or its error with the number and the system's own words for it only."""
    try:
        return call()
    except OSError as error:
        number = error.errno
    except ValueError:
        # A NUL character in a name.
        number = None
    return OSError(number, os.strerror(number)) if number is not None else OSError()

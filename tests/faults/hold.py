"""Loaded as ``sitecustomize``: stop before the first rename below a folder until a file is gone.

A command writes a temporary file and renames it; so it is disturbed at its most delicate moment.
"""

import os
import select
import time
from pathlib import Path

_HOLD = os.environ.get("FAULTS_HOLD", "")


def _held(rename):
    def wrapper(source, target, *rest, **options):
        hold = Path(_HOLD)
        if str(Path(target).absolute()).startswith(str(hold.parent)) and hold.exists():
            hold.with_suffix(".reached").touch()
            while hold.exists():
                time.sleep(0.01)
        return rename(source, target, *rest, **options)

    return wrapper


if "FAKETIME_TIMESTAMP_FILE" in os.environ:
    # libfaketime lets Python's sleep fail with EINVAL after the clock has jumped back.
    time.sleep = lambda seconds: select.select([], [], [], seconds) and None

if _HOLD:
    os.replace = _held(os.replace)
    os.rename = _held(os.rename)

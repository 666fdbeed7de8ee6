"""Lets matplotlib find the image's font cache.

It reads its cache only from a folder that it may write to, and else builds one anew, which takes seconds.
Run at the start of every interpreter, so it must be quick, and silent where there is nothing to do.
"""

import os

FONTS = "/opt/vivarium/fonts"

try:
    folder = os.environ["MPLCONFIGDIR"]
    os.mkdir(folder)
    for name in os.listdir(FONTS):
        os.symlink(f"{FONTS}/{name}", f"{folder}/{name}")
except (KeyError, OSError):
    pass

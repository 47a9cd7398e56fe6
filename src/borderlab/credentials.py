"""Names and passwords inside addresses: they come from the environment, and never into a file or a message."""

import re

# What stands between the scheme and the last @ before the path.
_IN_ADDRESS = re.compile(r"(?<=://)[^/?#\s]*@")


def without_credentials(text: str) -> str:
    """`text` with the user name and password of every address in it replaced by `***`."""
    return _IN_ADDRESS.sub("***@", text)

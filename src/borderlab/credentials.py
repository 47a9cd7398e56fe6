"""Names, passwords and tokens in addresses: they come from the environment, and never into a file or a message."""

import re

# What stands between the scheme and the last @ before the path.
_IN_ADDRESS = re.compile(r"(?<=://)[^/?#\s]*@")
# Signed addresses carry their token behind the question mark.
_QUERY = re.compile(r"(://[^\s?#]*\?)[^\s'\")]+")


def without_credentials(text: str) -> str:
    """`text` with the user name, the password and the query of every address in it replaced by `***`."""
    return _QUERY.sub(r"\1***", _IN_ADDRESS.sub("***@", text))

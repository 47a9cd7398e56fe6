"""Faults of the user's input or surroundings, each told in one line.

Everything that a user can put right raises a `BorderlabError`: the message says what is wrong, where, and what to
do. The command line prints it without a traceback and exits with `BorderlabError.exit_code`. Any other exception is a
defect of ours and keeps its traceback.
"""


class BorderlabError(Exception):
    """Base of all faults that the user can put right."""

    exit_code = 2


class ConfigError(BorderlabError):
    """A wrong key, value or combination in an experiment's configuration."""


class DataError(BorderlabError):
    """A data set, image, label or archive that is missing, damaged or not what it should be."""


class PaddingError(BorderlabError):
    """A padding scheme that cannot do what was asked of it."""


class RunError(BorderlabError):
    """A training or evaluation run that cannot go on."""

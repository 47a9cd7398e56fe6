"""Where the file of one frame lies: folders stay small however long a clip is.

A folder of 150,000 files is slow to list, to delete and to copy; a clip's frames are therefore divided by thousands.
"""

FRAMES_PER_FOLDER = 1000


def shard_of(clip: str, index: int) -> str:
    """Folder of frame `index` of a clip."""
    return f"{clip}/{index // FRAMES_PER_FOLDER:03d}"

"""Classification sets in the layout `<split>/<class folder>/<image>`, as ImageNet and Imagenette have it."""

from pathlib import Path

from borderlab.data.base import LabelledImage
from borderlab.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png")


def class_folders(folder: Path) -> list[Path]:
    """Folders of the classes of one split, sorted by name: their order is the class ids'."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir())


def folder_images(folder: Path, expected_classes: int, hint: str) -> list[LabelledImage]:
    """Images of one split, sorted by class and name.

    Args:
        folder: the split's folder.
        expected_classes: number of class folders that must be there.
        hint: what to do if they are not.

    Raises:
        DataError: if class folders are missing or one of them is empty.
    """
    classes = class_folders(folder)
    if len(classes) != expected_classes:
        raise DataError(f"{folder}: has {len(classes)} class folders, not {expected_classes}; {hint}")
    images = []
    for class_id, class_folder in enumerate(classes):
        names = sorted(path for path in class_folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not names:
            raise DataError(f"{class_folder}: holds no image; {hint}")
        images += [LabelledImage(f"{class_folder.name}/{path.stem}", path, class_id) for path in names]
    return images

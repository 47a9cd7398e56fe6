"""Classification sets in the layout `<split>/<class folder>/<image>`, as ImageNet and Imagenette have it."""

from collections.abc import Sequence
from pathlib import Path

from borderlab.data.base import LabelledImage
from borderlab.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png")


def class_folders(folder: Path) -> list[Path]:
    """Folders of the classes of one split, sorted by name: their order is the class ids'."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir())


def folder_images(folder: Path, names: Sequence[str], hint: str, *, partial: bool = False) -> list[LabelledImage]:
    """Images of one split, sorted by class and name.

    Args:
        folder: the split's folder.
        names: names of the class folders, in the order of the class ids.
        hint: what to do if they are not there.
        partial: whether some of them may be missing; the others keep their class ids.

    Raises:
        DataError: if class folders are missing, unknown or empty.
    """
    classes = class_folders(folder)
    if not classes or (len(classes) != len(names) and not partial):
        raise DataError(f"{folder}: has {len(classes)} class folders, not {len(names)}; {hint}")
    class_ids = {name: class_id for class_id, name in enumerate(names)}
    images = []
    for class_folder in classes:
        if class_folder.name not in class_ids:
            raise DataError(f"{class_folder}: is no class of this set; {hint}")
        paths = sorted(path for path in class_folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise DataError(f"{class_folder}: holds no image; {hint}")
        class_id = class_ids[class_folder.name]
        images += [LabelledImage(f"{class_folder.name}/{path.stem}", path, class_id) for path in paths]
    return images

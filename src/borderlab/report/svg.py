"""SVG files as inline SVG: ids made unique in the page, colours that follow the reader's scheme."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from markupsafe import Markup

from borderlab.report.style import CSS_NAMES

# A little larger than in print: a screen is read from farther away.
_PX_PER_PT = 1.15 * 4 / 3
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_COLOUR = re.compile("|".join(map(re.escape, CSS_NAMES)), re.IGNORECASE)
_LEFT_OUT = ("metadata", "style")


def inline_svg(path: Path, prefix: str, label: str) -> Markup:
    """The SVG in `path` for use inside an HTML page.

    Args:
        path: a file that `borderlab.report.style.save_figure` wrote.
        prefix: put before every id, so that figures in one page cannot meet.
        label: what the figure shows, for readers who cannot see it.
    """
    root = ElementTree.parse(path).getroot()  # noqa: S314  (our own file, and no entities are declared in it)
    for element in root.iter():
        _localise(element, prefix)
    _drop(root)
    width_pt = float(root.attrib["viewBox"].split()[2])
    root.attrib.pop("version", None)
    root.attrib |= {"role": "img", "aria-label": label, "width": f"{width_pt * _PX_PER_PT:.0f}"}
    root.attrib.pop("height")
    # ElementTree escapes text and attributes alike.
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704


def _localise(element: ElementTree.Element, prefix: str) -> None:
    """Drop namespaces, which HTML knows by itself; prefix ids and references; name colours."""
    element.tag = _local(element.tag)
    attributes = {_local(name): value for name, value in element.attrib.items()}
    if "id" in attributes:
        attributes["id"] = f"{prefix}-{attributes['id']}"
    if attributes.get("href", "").startswith("#"):
        attributes["href"] = f"#{prefix}-{attributes['href'][1:]}"
    for name in ("style", "fill", "stroke", "clip-path"):
        if name in attributes:
            value = _REFERENCE.sub(rf"url(#{prefix}-\1)", attributes[name])
            attributes[name] = _COLOUR.sub(lambda found: f"var({CSS_NAMES[found[0].lower()]})", value)
    # A presentation attribute cannot hold a CSS variable, a style can.
    for name in ("fill", "stroke"):
        if attributes.get(name, "").startswith("var("):
            attributes["style"] = f"{attributes.get('style', '')};{name}:{attributes.pop(name)}".lstrip(";")
    element.attrib.clear()
    element.attrib.update(attributes)


def _drop(root: ElementTree.Element) -> None:
    """Remove metadata, and matplotlib's style sheet, which would reach all of the page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in _LEFT_OUT:
                parent.remove(child)


def _local(name: str) -> str:
    return name.rpartition("}")[2]

"""From a YAML file to a checked `ExperimentConfig`, or one line that says what is wrong."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from borderlab.config.rules import check_combinations
from borderlab.config.schema import ExperimentConfig
from borderlab.credentials import without_credentials
from borderlab.errors import ConfigError
from borderlab.files import canonical_json

# What yaml.safe_load reads, in a tenth of its time where PyYAML was built with libyaml: each job reads one file.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Location = tuple[int | str, ...]


def load_config(path: Path) -> ExperimentConfig:
    """The experiment in the YAML (or JSON) file `path`.

    Raises:
        ConfigError: if the file is missing, is no YAML, or holds a wrong key, value or combination.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise ConfigError(
            f"{path}: cannot be read ({fault.strerror}); paths start from the current folder: go to the project's top"
        ) from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{path}: is not UTF-8 (byte {fault.start}); save it as UTF-8") from fault
    try:
        loader = _LOADER(text)
        node = loader.get_single_node()
        repeated = None if node is None else _repeated_key(node)
        values = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as fault:
        raise ConfigError(f"{path}: is not YAML: {' '.join(str(fault).split())}") from fault
    if repeated is not None:
        raise ConfigError(f"{path}: {repeated}")
    return check_config(values, str(path))


def _repeated_key(root: yaml.Node) -> str | None:
    """The first key that stands twice in one place, where YAML forbids it and PyYAML takes the last without a word."""
    seen, left = set(), [root]
    while left:
        node = left.pop()
        # An alias leads to a node that was seen, perhaps to one around it.
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if not isinstance(node, yaml.MappingNode):
            left.extend(node.value)
            continue
        lines: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    return f"line {line}: {key.value!r} stands in line {lines[key.value]} already; keep one of them"
                lines[key.value] = line
            left.append(value)
    return None


def check_config(values: Any, source: str) -> ExperimentConfig:
    """The experiment in `values`; `source` names the file in messages.

    Raises:
        ConfigError: one line with the file, the key, what was given and what is allowed.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source}: must hold keys and values, not {type(values).__name__}")
    try:
        config = ExperimentConfig.model_validate(values)
    except ValidationError as fault:
        raise ConfigError(f"{source}: {_one_line(fault)}") from fault
    try:
        canonical_json(config.model_dump(mode="json"))
    except ValueError as fault:
        raise ConfigError(f"{source}: holds .inf or .nan; every number must be finite") from fault
    fault_found = check_combinations(config)
    if fault_found is not None:
        raise ConfigError(f"{source}: {fault_found}")
    return config


def _one_line(fault: ValidationError) -> str:
    errors = fault.errors(include_url=False)
    # A misspelt key makes two errors, "unknown" and "missing": the first one names the cause.
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    line = f"{_key(first['loc'])}: {_describe(first)}"
    others = len(errors) - 1
    return line if others == 0 else f"{line} (and {others} more)"


def _describe(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return _unknown_key(error["loc"])
    if error["type"] == "missing":
        return "is missing"
    message = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"got {_shorten(error['input'])}; {message}"


def _unknown_key(location: Location) -> str:
    key = str(location[-1])
    allowed = sorted(_fields_at(location[:-1]))
    guess = difflib.get_close_matches(key, allowed, n=1)
    hint = f"; did you mean {guess[0]!r}?" if guess else ""
    return f"unknown key{hint} Allowed: {', '.join(allowed)}" if hint else f"unknown key; allowed: {', '.join(allowed)}"


def _fields_at(location: Location) -> tuple[str, ...]:
    """Names of the keys that the model at `location` has."""
    annotation: Any = ExperimentConfig
    for part in location:
        model = _model_in(annotation)
        if model is not None and isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
    model = _model_in(annotation)
    return () if model is None else tuple(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside `annotation`: itself, or inside list[...], dict[...], ... | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        model = _model_in(inner)
        if model is not None:
            return model
    return None


def _key(location: Location) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(top level)"


def _shorten(value: Any, limit: int = 60) -> str:
    text = without_credentials(repr(value))
    return text if len(text) <= limit else f"{text[: limit - 3]}..."

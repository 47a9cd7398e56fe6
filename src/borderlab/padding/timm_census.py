"""What the conversion reaches in every architecture of timm, and what it leaves.

Models are built on the meta device: no weights, no memory, some 0.1 s each. A census of modules cannot see padding
that a model does in its own forward pass; with `trace`, one forward pass on the meta device (one image of the
architecture's own size) is listened to, and every padding call is noted that no convolution and no listed module
made. What a model pads at other image sizes alone stays unseen.
"""

import csv
import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.padding.census import own_padding
from borderlab.padding.convert import set_padding_mode
from borderlab.padding.layers import layer_kind

NOT_TRACED = "not traced"


@dataclass(frozen=True)
class ArchitectureCensus:
    """One row of the census; kinds are written `Conv2d:17 Conv2dSame:5`, in alphabetical order.

    Attributes:
        architecture: timm's name.
        family: module of timm that defines it.
        n_converted: padded convolutions, which a conversion reaches.
        n_unpadded: convolutions that never pad.
        n_left: modules that pad in a way of their own and are left.
        converted: converted layers by class.
        unpadded: convolutions that never pad, by class.
        left: left modules by class.
        own_forward: padding calls of the forward pass outside of all those, as `Class.function:calls`.
        error: why there are no counts, or why there is no trace.
    """

    architecture: str
    family: str = ""
    n_converted: int = 0
    n_unpadded: int = 0
    n_left: int = 0
    converted: str = ""
    unpadded: str = ""
    left: str = ""
    own_forward: str = NOT_TRACED
    error: str = ""


def architectures(pattern: str = "*") -> list[str]:
    """Names of the installed timm's architectures that match `pattern`, in alphabetical order."""
    return [name for name in sorted(timm.list_models()) if fnmatch(name, pattern)]


def take_census(
    names: Sequence[str], *, trace: bool = False, progress: Callable[[str], None] | None = None
) -> list[ArchitectureCensus]:
    """Census of each of `names`.

    Args:
        names: timm's names of architectures.
        trace: also listen to one forward pass.
        progress: called with each name before its turn.
    """
    rows = []
    for name in names:
        if progress is not None:
            progress(name)
        rows.append(census_of_architecture(name, trace=trace))
    return rows


def census_of_architecture(name: str, *, trace: bool = False) -> ArchitectureCensus:
    """Census of one architecture; what cannot be built is a row with an error."""
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = timm.create_model(name).eval()
    except Exception as error:  # whatever a constructor raises belongs into the row, and the next one is built
        return ArchitectureCensus(name, error=_one_line(error))
    return census_of_model(name, model, trace=trace)


def census_of_model(name: str, model: nn.Module, *, trace: bool = False) -> ArchitectureCensus:
    """Census of a model, which keeps its padding."""
    kinds = Counter(type(module).__name__ for module in model.modules() if _is_convolution(module))
    report = set_padding_mode(model, "partial")
    set_padding_mode(model, "zeros")
    converted = Counter(layer.kind for layer in report.converted)
    left = Counter(layer.kind for layer in report.left)
    calls, error = _traced(model, {layer.name for layer in report.converted}) if trace else (NOT_TRACED, "")
    return ArchitectureCensus(
        architecture=name,
        family=type(model).__module__.rpartition(".")[2],
        n_converted=len(report.converted),
        n_unpadded=report.n_unpadded,
        n_left=len(report.left),
        converted=_written(converted),
        unpadded=_written(kinds - converted - left),
        left=_written(left),
        own_forward=calls,
        error=error,
    )


def counts(written: str) -> Counter[str]:
    """Numbers by kind in a column such as `converted`."""
    pairs = (part.rpartition(":") for part in written.split())
    return Counter({kind: int(number) for kind, _, number in pairs})


def as_csv(rows: Sequence[ArchitectureCensus]) -> str:
    """The census as CSV, a row for each architecture."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = [field.name for field in fields(ArchitectureCensus)]
    writer.writerow(columns)
    writer.writerows([getattr(row, column) for column in columns] for row in rows)
    return stream.getvalue()


def _is_convolution(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) or layer_kind(module) is not None


def _written(numbers: Counter[str]) -> str:
    return " ".join(f"{kind}:{number}" for kind, number in sorted(numbers.items()))


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:120]


def _traced(model: nn.Module, converted: set[str]) -> tuple[str, str]:
    """Padding calls of one forward pass outside of known modules, and the error that ended it."""
    modules = dict(model.named_modules())
    known = {id(modules.get(name, model)) for name in converted}
    known |= {id(module) for module in modules.values() if own_padding(module) is not None}
    listener = _Listener(known)
    size = getattr(model, "pretrained_cfg", {}).get("input_size", (3, 224, 224))
    try:
        with torch.no_grad(), listener.listening():
            model(torch.empty(1, *size, device="meta"))
    except Exception as error:  # some forward passes ask for values, which the meta device does not have
        return _written(listener.calls), f"trace: {_one_line(error)}"
    return _written(listener.calls), ""


class _Listener(TorchFunctionMode):
    """Notes padding calls by the class of the innermost module, unless that is `known`."""

    def __init__(self, known: set[int]) -> None:
        super().__init__()
        self.known = known
        self.running: list[nn.Module] = []
        self.calls: Counter[str] = Counter()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to modules and functions."""
        hooks = torch.nn.modules.module
        with ExitStack() as stack:
            enter = hooks.register_module_forward_pre_hook(lambda module, _: self.running.append(module))
            stack.callback(enter.remove)
            leave = hooks.register_module_forward_hook(self._leave, always_call=True)
            stack.callback(leave.remove)
            stack.enter_context(self)
            yield

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.running.pop()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if self.running and id(self.running[-1]) not in self.known and _pads(name, args, kwargs):
            self.calls[f"{type(self.running[-1]).__name__}.{name}"] += 1
        return func(*args, **kwargs)


def _pads(function: str, args: Any, kwargs: Any) -> bool:
    """Whether this call of `function` reads beyond the border of its input."""
    if function not in _AMOUNT or not _is_padded(_argument(args, kwargs, *_AMOUNT[function], 0)):
        return False
    return function != "avg_pool2d" or _argument(args, kwargs, 5, "count_include_pad", True)


def _argument(args: Any, kwargs: Any, place: int, keyword: str, default: Any) -> Any:
    return args[place] if len(args) > place else kwargs.get(keyword, default)


# Where functions that pad take the amount: place among the arguments, and keyword.
_AMOUNT = {
    "pad": (1, "pad"),
    "constant_pad_nd": (1, "pad"),
    "conv1d": (4, "padding"),
    "conv2d": (4, "padding"),
    "conv3d": (4, "padding"),
    "max_pool2d": (3, "padding"),
    "avg_pool2d": (3, "padding"),
    "im2col": (3, "padding"),
}


def _is_padded(amount: Any) -> bool:
    if isinstance(amount, str):
        return amount != "valid"
    return max(amount, default=0) > 0 if isinstance(amount, (tuple, list)) else amount > 0

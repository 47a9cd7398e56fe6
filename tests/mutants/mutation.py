"""A small wrong change in one function, for as long as a test that is to notice it runs.

A mutant is one fragment of one function replaced. It takes the place of the function's code in this process, the test
that is to notice it is called, and the code comes back. A fragment that is no longer there is an error, so a list of
mutants cannot grow stale in silence.
"""

import ast
import contextlib
import inspect
import textwrap
from types import FunctionType


@contextlib.contextmanager
def mutated(function, fragment, replacement):
    """Within it, `function` runs with one fragment of its source replaced."""
    original = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(original))
    assert source.count(fragment) == 1, f"{original.__qualname__} holds {fragment!r} {source.count(fragment)} times"
    tree = ast.parse(source.replace(fragment, replacement))
    tree.body[0].decorator_list = []
    names = dict(original.__globals__)
    exec(compile(tree, original.__code__.co_filename, "exec"), names)
    mutant = names[original.__name__]
    assert isinstance(mutant, FunctionType)
    kept, original.__code__ = original.__code__, mutant.__code__
    try:
        yield
    finally:
        original.__code__ = kept

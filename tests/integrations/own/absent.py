"""Stand-ins for what a trainer imports and none of these tests calls: ray, a web server, pictures.

A name of such a module is a class: it can be inherited from, and decorates by giving back what it decorates. A package
that is installed is taken as it is.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any


def stand_in(*packages: str) -> None:
    """Let these packages be imported where they are not installed."""
    sys.meta_path.append(_Finder(packages))


class _Absent(ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return _named(name)


class _Nested(type):
    def __getattr__(cls, name: str) -> Any:
        return _named(name)


def _named(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nested(name, (_Anything,), {})


class _Anything:
    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) and not named else _named(cls.__name__)

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.any_schema()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name.partition(".")[0] in self.packages else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass

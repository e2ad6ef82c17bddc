"""MuJoCo's compiled members carry no types of their own: to pyright they are Any."""

from typing import Any

def __getattr__(name: str) -> Any: ...

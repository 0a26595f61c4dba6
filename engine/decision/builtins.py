"""All built-in functions of FEEL, by name."""

from __future__ import annotations

from collections.abc import Mapping

from engine.decision import (
    builtins_contexts,
    builtins_json,
    builtins_lists,
    builtins_moments,
    builtins_more,
    builtins_numbers,
    builtins_ranges,
    builtins_strings,
    range_text,
)
from engine.decision.arguments import BUILTINS as _REGISTERED
from engine.decision.values import Builtin

# Importing a module of functions registers them; naming the modules keeps the list visible.
MODULES = (
    builtins_contexts,
    builtins_json,
    builtins_lists,
    builtins_moments,
    builtins_more,
    builtins_numbers,
    builtins_ranges,
    builtins_strings,
    range_text,
)
BUILTINS: Mapping[str, Builtin] = dict(_REGISTERED)

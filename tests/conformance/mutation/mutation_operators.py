"""Mutants of a drawing: each is the shipped model with one thing done to it that people do.

An operator takes the parsed file and yields `(name, change)`; the change is made on a fresh copy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from lxml import etree

from tests.conformance.mutation import mutations_of_terms as terms
from tests.conformance.mutation import mutations_of_ways as ways
from tests.conformance.mutation.mutation_drawing import (
    Drawing,
    Mutant,
    remove,
)

OPERATORS = (
    ways.remove_activity,
    ways.bypass_activity,
    ways.swap_neighbours,
    ways.drop_flow,
    ways.change_gateway,
    ways.remove_join,
    ways.remove_split,
    ways.redirect_back,
    ways.redirect_to_end,
    ways.invert_condition,
    ways.remove_condition,
    ways.remove_default,
    ways.swap_branches,
    ways.remove_boundary,
    ways.change_interrupting,
    ways.remove_event_subprocess,
    ways.shorten_timer,
    terms.drop_deadline,
    terms.lengthen_deadline,
    terms.drop_ladder,
    terms.drop_different_people,
    terms.drop_excluded,
    terms.drop_operation,
    terms.change_role,
    terms.drop_loop,
    terms.finish_loop_early,
    terms.drop_outcome,
)


def mutants(content: bytes) -> Iterator[Mutant]:
    """Every mutant of this file, in a fixed order; the diagram is left out."""
    root = etree.fromstring(content)
    for plane in root.findall("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNDiagram"):
        remove(plane)
    original = Drawing(root)
    for operator in OPERATORS:
        for where, change in operator(original):
            fresh = Drawing(copy.deepcopy(root))
            change(fresh)
            name = operator.__name__.replace("_", " ")
            yield Mutant(operator=name, where=where, content=etree.tostring(fresh.root))

"""`nuanliu bench`: workload W on the public service layer and through the shipped server."""

from webforms.bench.measure import Figures, lay, run

__all__ = ["Figures", "lay", "run"]

"""消防水源: hydrants, ponds, intakes and reservoirs."""

from qjmap.ui import find
from qjmap.ui.thematic import Theme, show

show(
    Theme(
        key="fire-water",
        title="消防水源",
        lead="消火栓、消防水池、取水点和水库在哪里,哪些地方够不着水。",
        layers=("hydrants", "fire_ponds", "reservoirs"),
        find=find.facilities,
        radius_layers=("hydrants", "fire_ponds", "reservoirs"),
    )
)

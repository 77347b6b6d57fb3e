"""水库: what there is, what is planned, and how little is known of where."""

from qjmap.ui import find
from qjmap.ui.thematic import Theme, show

show(
    Theme(
        key="reservoirs",
        title="水库",
        lead="已建、在建和规划的水库,各在哪个街镇。",
        layers=("reservoirs",),
        find=find.reservoirs,
        radius_layers=("reservoirs",),
        overlays=("reservoir_zones",),
    )
)

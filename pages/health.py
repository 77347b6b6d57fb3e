"""医疗卫生: institutions and beds, and whom they reach."""

from qjmap.ui import find
from qjmap.ui.thematic import Theme, show

show(
    Theme(
        key="health",
        title="医疗卫生",
        lead="全区有哪些医疗卫生机构和床位,服务半径之外还有多少人。",
        layers=("health", "projects"),
        find=find.health,
        radius_layers=("health",),
    )
)

"""高层建筑: which buildings have a hydrant within reach, and which hazards are open."""

from qjmap.ui import find
from qjmap.ui.thematic import Theme, show

show(
    Theme(
        key="highrise",
        title="高层建筑",
        lead="哪些高层建筑附近没有在用的消火栓,还有多少隐患没有整改。",
        layers=("highrises",),
        find=find.reached,
        served_by={"highrises": "hydrants"},
    )
)

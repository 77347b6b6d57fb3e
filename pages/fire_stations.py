"""消防站(队): stations, brigades, micro stations and the towns' emergency teams."""

from qjmap.ui import find
from qjmap.ui.thematic import Theme, show

show(
    Theme(
        key="fire-stations",
        title="消防站(队)",
        lead="消防站、专职和志愿消防队、微型消防站和街镇应急救援队伍在哪里。",
        layers=("fire_stations", "micro_stations", "emergency_teams"),
        find=find.facilities,
        radius_layers=("fire_stations", "micro_stations", "emergency_teams"),
    )
)

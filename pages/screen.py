"""会议大屏: the map and what is short, one scene after another, for a room full of people."""

from qjmap.ui import frame, judging, screen, sidebar
from qjmap.ui.figures import custom_figures

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
year = judging.choose_year(district)
assumed = judging.choose_assumptions()
found = judging.assessment(district, year=year, demo=demo, assumed=assumed, custom=custom_figures())
stage = screen.Stage(district, found, year=year, demo=demo)
if screen.playing():
    screen.play(stage)
else:
    screen.prepare(stage)

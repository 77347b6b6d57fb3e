"""綦江一张图: page settings and the way to the pages, nothing else."""

from pathlib import Path

import streamlit as st
from streamlit import net_util

from qjmap.ui import frame
from qjmap.ui.navigation import navigate
from qjmap.webmap import install_assets

# Streamlit would ask an address on the internet for its own when a page is opened through a foreign name.
net_util.get_external_ip = lambda: None

st.set_page_config(page_title="綦江一张图", layout="wide", initial_sidebar_state=272)
install_assets(Path(__file__).parent)
frame.run(navigate())

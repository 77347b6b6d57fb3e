"""綦江一张图: the server that `streamlit run app.py` finds, the page's settings, and the way to the pages."""

import streamlit as st

if __name__ == "__main__":  # run by Streamlit for every visit
    from qjmap.ui import frame
    from qjmap.ui.navigation import navigate

    st.set_page_config(page_title="綦江一张图", layout="wide", initial_sidebar_state=272)
    frame.run(navigate())
else:  # imported once, by the server
    from qjmap.ui.handover import routes
    from qjmap.ui.outside import middleware
    from qjmap.ui.server import get_ready

    get_ready()
    app = st.App(__file__, routes=routes(), middleware=middleware())

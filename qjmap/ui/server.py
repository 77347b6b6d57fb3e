"""What the server does once, before the first visit: say nothing to the internet, and get ready meanwhile."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from pathlib import Path

from streamlit import net_util

from qjmap import assets
from qjmap.ui import outside

ROOT = Path(__file__).resolve().parents[2]
"""The folder of `app.py`."""


def get_ready() -> None:
    """Look at the settings, place the map's files, and read what the first page needs while a browser starts."""
    # Streamlit would ask an address on the internet for its own when a page is opened through a foreign name.
    net_util.get_external_ip = lambda: None
    outside.get_ready()
    assets.install(ROOT)
    # What is imported stays: looking through it for garbage again and again costs a sixth of the start.
    gc.disable()
    threading.Thread(target=_import_and_read, name="get-ready", daemon=True).start()


def _import_and_read() -> None:
    """Import and read; whatever is wrong is told on the page, by the visit that meets it.

    Modules that declare a Streamlit component (`mapview`, and what imports it) must wait for a visit: without one,
    Streamlit declares the component and never serves it.
    """
    try:
        import folium.plugins  # noqa: F401

        from qjmap.errors import QjmapError
        from qjmap.ui import source

        with suppress(QjmapError):
            source.ground()
            for key in source.district().settings.first_layers:
                source.layer(key, demo=True)
    finally:
        gc.freeze()
        gc.enable()

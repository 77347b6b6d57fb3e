"""The map's script and sheet: Leaflet's from the installed package, then ours; put where Streamlit serves them."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

from xstatic.pkg import leaflet

#: Where Streamlit serves what `install` puts beside the app, seen from the map component's own page
#: (<base>/component/streamlit_folium.st_folium/index.html), so that it holds under any base path.
STATIC_URL = "../../app/static"

_LEAFLET, _OURS = Path(leaflet.BASE_DIR), Path(str(resources.files("qjmap") / "static"))

# One script and one sheet: the component loads them one after another, and each costs a turn to the server.
_ASSETS = {
    "map.js": (_LEAFLET / "leaflet.js", _OURS / "qjmap.js"),
    "map.css": (_LEAFLET / "leaflet.css", _OURS / "map.css"),
}


def install(app_folder: Path) -> Path:
    """Place the map's scripts where Streamlit serves them: `<app_folder>/static/`.

    Leaflet comes from the installed package XStatic-Leaflet; no third-party file is kept in the project.

    Returns
    -------
    Path
        The folder written to. A file that is already the same is left alone.
    """
    folder = app_folder / "static"
    folder.mkdir(exist_ok=True)
    for name in _ASSETS:
        new = content(name)
        target = folder / name
        if not target.exists() or target.read_bytes() != new:
            # whole or not at all: a visitor may be asking for it
            part = target.with_suffix(".part")
            part.write_bytes(new)
            part.replace(target)
    return folder


def content(name: str) -> bytes:
    """Give the content of `map.js` or `map.css`: Leaflet's file from the installed package, then ours."""
    return b"\n".join(source.read_bytes() for source in _ASSETS[name])


def address(name: str) -> str:
    """Address of an asset; its content's hash makes the browser fetch a changed one and keep an unchanged one."""
    digest = hashlib.sha256(content(name)).hexdigest()[:10]
    return f"{STATIC_URL}/{name}?v={digest}"

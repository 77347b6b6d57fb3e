"""Files of township areas as an office would bring them: the schematic polygons, slightly moved."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from qjmap import datum
from qjmap.district import District

GAUSS = "EPSG:4523"
"""CGCS2000, three-degree zone 35: the zone of most of 綦江's own maps."""


def areas(
    district: District, shift: tuple[float, float] = (60.0, -40.0), names: Sequence[str] | None = None
) -> gpd.GeoDataFrame:
    """Give the towns' areas moved as one by some metres, in degrees, named in `XZQMC`."""
    shapes = [shapely.affinity.translate(one, *shift) for one in district.boundaries.geometry]
    return gpd.GeoDataFrame(
        {
            "XZQDM": list(district.towns["code"].astype("str")),
            "XZQMC": list(names or district.boundaries.index),
        },
        geometry=[district.projection.geometry_to_degrees(one) for one in shapes],
        crs=4490,
    )


def geojson(frame: gpd.GeoDataFrame) -> bytes:
    """Write GeoJSON (degrees)."""
    text: str = frame.set_crs(4326, allow_override=True).to_json()
    return text.encode()


def gcj(frame: gpd.GeoDataFrame) -> bytes:
    """Write GeoJSON whose degrees are shifted as on web maps, which it does not say."""
    moved = shapely.transform(
        np.asarray(frame.geometry), lambda xy: np.column_stack(datum.wgs_to_gcj(xy[:, 0], xy[:, 1]))
    )
    return geojson(frame.set_geometry(gpd.GeoSeries(moved, crs=frame.crs)))


def shapefile(frame: gpd.GeoDataFrame) -> bytes:
    """Write a Shapefile in a zip: names in GBK, said by no .cpg."""
    with tempfile.TemporaryDirectory() as folder:
        frame.to_file(Path(folder) / "jx.shp", encoding="GBK", engine="pyogrio")
        return _zipped({one.name: one.read_bytes() for one in Path(folder).iterdir() if one.suffix != ".cpg"})


def geopackage(frame: gpd.GeoDataFrame) -> bytes:
    """Write a GeoPackage in Gauss–Krüger metres."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jx.gpkg"
        frame.to_crs(GAUSS).to_file(path, layer="乡镇界", engine="pyogrio")
        return path.read_bytes()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()

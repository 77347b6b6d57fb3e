"""The child process in which GDAL reads a stranger's file: `python -m qjmap._gdal folder file encoding memory`.

Writes layers.json and one Arrow file per layer into the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_LAYERS = 50
_UNUSED = {"geopandas", "pandas", "pyproj", "shapely"}


class _Absent:
    """Say of libraries that they are not there: pyogrio and pyarrow import them unasked, most of what it costs."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in _UNUSED:
            raise ModuleNotFoundError(name)


def main(folder: Path, file: str, encoding: str, memory: int) -> None:
    """Read all layers of a file."""
    _bound(memory)
    sys.meta_path.insert(0, _Absent())
    import pyarrow as pa
    import pyogrio
    from pyogrio.raw import read

    pyogrio.set_gdal_config_options(
        {"GDAL_HTTP_TIMEOUT": "1", "CPL_CURL_ENABLE": "NO", "GDAL_DISABLE_READDIR_ON_OPEN": "NO"}
    )
    if file.endswith(".shp"):
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})
    path = folder / file
    layers: list[dict[str, str | None]] = []
    for name, geometry in pyogrio.list_layers(path)[:_LAYERS]:
        if geometry is None:
            continue
        options = {"encoding": encoding} if encoding else {}
        meta, _, shapes, columns = read(path, layer=name, force_2d=True, datetime_as_string=True, **options)
        fields = {
            str(field): pa.array(_plain(column))
            for field, column in zip(meta["fields"], columns, strict=True)
        }
        table = pa.table({**fields, "wkb": pa.array(list(shapes), type=pa.large_binary())})
        with (
            pa.OSFile(str(folder / f"{len(layers)}.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as out,
        ):
            out.write_table(table)
        layers.append({"name": str(name), "crs": meta.get("crs"), "encoding": encoding or None})
    (folder / "layers.json").write_text(json.dumps(layers, ensure_ascii=False), encoding="utf-8")


def _plain(column: object) -> list[str | None]:
    """Give values as text; one layer's column may hold several kinds."""
    found: list[str | None] = []
    for one in column.tolist():  # type: ignore[attr-defined]
        if one is None or one != one:
            found.append(None)
        elif isinstance(one, float):
            found.append(str(int(one)) if one.is_integer() and abs(one) < 1e15 else f"{one:.15g}")
        else:
            found.append("是" if one is True else "否" if one is False else str(one))
    return found


def _bound(memory: int) -> None:
    """Bound memory and time of this process; Windows has no such bound, there only the parent's clock holds."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000_000, 500_000_000))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))

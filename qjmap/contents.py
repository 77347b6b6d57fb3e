"""Contents: the bytes of a register or of boundaries as they are kept, and the text cells in them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass

import pandas as pd

from qjmap.errors import DataError, Problem, WorkspaceError
from qjmap.ingest import RawTable, parse_csv

CSV, GEOJSON = "data.csv", "data.geojson"
"""What is kept: a register, or boundaries."""

BOUNDARIES = "boundaries"
"""The key under which township boundaries (GeoJSON) are kept."""


@dataclass(frozen=True)
class Content:
    """The bytes of a register or of boundaries; `file` is the name by which faults in it are told.

    `version` says which of the kept versions they are, blank for what ships.
    """

    file: str
    data: bytes
    name: str = CSV
    version: str = ""

    def table(self) -> RawTable:
        """Give the content as text cells; of boundaries the properties and `geometry`, one row a feature.

        Raises
        ------
        DataError
            The bytes are no CSV file, or no GeoJSON.
        """
        return parse_csv(self.data, self.file) if self.name == CSV else _features(self)


def to_bytes(frame: pd.DataFrame) -> bytes:
    """Write text cells as the registers of `data/` are written: UTF-8, blank for missing, no index.

    Raises
    ------
    WorkspaceError
        A cell holds what is no character.
    """
    try:
        text = frame.to_csv(index=False, lineterminator="\n")
        if "\r" in text:  # a bare one is not quoted, and would break its line
            text = frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_ALL)
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise WorkspaceError("未保存:内容中有无法保存的字符") from error


def _features(content: Content) -> RawTable:
    try:
        features = json.loads(content.data.decode("utf-8-sig"))["features"]
        records = [
            {str(key): None if value is None else str(value) for key, value in one["properties"].items()}
            | {"geometry": json.dumps(one["geometry"], sort_keys=True)}
            for one in features
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        expected = "有 features、properties、geometry 的 GeoJSON 文件(UTF-8)"
        raise DataError([Problem(content.file, None, None, "无法解析", expected)]) from error
    frame = pd.DataFrame(records).astype("str") if records else pd.DataFrame({"name": []}, dtype="str")
    return RawTable(content.file, frame, tuple(range(1, len(records) + 1)))

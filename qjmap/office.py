"""The office: where its own data are; who may do what with them is asked here, and what is done is written down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from qjmap.access import VISITOR, AccessError, Action, Person, demand
from qjmap.audit import DONE, FAILED, REFUSED, STARTED, Audit, AuditError
from qjmap.contents import BOUNDARIES, CSV, GEOJSON, Content
from qjmap.district import District
from qjmap.errors import QjmapError
from qjmap.layers import LayerSpec
from qjmap.workspace import Workspace

_BOUNDARY_SPEC = LayerSpec(BOUNDARIES, "街镇界线", "townships.geojson", "polygon", "", "", (), {})


@dataclass(frozen=True)
class Office:
    """Where things are found and who is asked.

    Parameters
    ----------
    district
        The district as it is shown now.
    workspace
        Its versions.
    audit
        The log.
    """

    district: District
    workspace: Workspace
    audit: Audit

    def spec(self, key: str) -> LayerSpec:
        """Give a layer, a table, or the boundaries as if they were a layer; raises UnknownKeyError."""
        return _BOUNDARY_SPEC if key == BOUNDARIES else self.district.registry.spec(key)

    def shipped(self, key: str) -> Content | None:
        """Give what came with the program, or None."""
        place = self.district
        kept_as = GEOJSON if key == BOUNDARIES else CSV
        path = (
            place.geo / place.settings.boundary_file
            if key == BOUNDARIES
            else place.data / self.spec(key).file
        )
        try:
            return Content(path.name, path.read_bytes(), kept_as)
        except FileNotFoundError:
            return None

    def demand(self, person: Person, action: Action, spec: LayerSpec | None = None) -> None:
        """Refuse what the person may not do, and write that down; who is a mere visitor leaves no line.

        Raises
        ------
        AccessError
            The person may not.
        """
        try:
            demand(person, action, spec)
        except AccessError as error:
            if person != VISITOR:
                with contextlib.suppress(AuditError):  # refused all the same
                    self.note(person, action, spec.key if spec else "", REFUSED, str(error))
            raise

    def demand_layer(self, person: Person, action: Action, key: str) -> LayerSpec:
        """Refuse what the person may not do with a layer, a table or the boundaries, as `demand`; give what it is."""
        spec = self.spec(key)
        self.demand(person, action, spec)
        return spec

    def note(self, person: Person, action: Action, key: str, outcome: str, detail: str) -> None:
        """Write one line into the log; raises AuditError."""
        self.audit.write(
            who=person.name,
            role=str(person.role),
            action=str(action),
            outcome=outcome,
            district=self.district.key,
            layer=key,
            detail=detail,
        )

    @contextlib.contextmanager
    def recorded(self, person: Person, action: Action, key: str, detail: str) -> Iterator[list[str]]:
        """Write down that a change begins, and how it ended; what the list gets is told with it.

        Raises
        ------
        AuditError
            It cannot be written down: before, and nothing is done; or after, and the message says so.
        """
        try:
            self.note(person, action, key, STARTED, detail)
        except AuditError as error:
            raise AuditError(f"{action}未进行:{error}") from error
        said: list[str] = []
        try:
            yield said
        except QjmapError as error:
            # the first line stands, and the cause is what the person must hear
            with contextlib.suppress(AuditError):
                cause = by_label(str(error), key, self.spec(key).label) if key else str(error)
                self.note(person, action, key, FAILED, f"{detail};{cause}")
            raise
        try:
            self.note(person, action, key, DONE, ";".join([detail, *said]))
        except AuditError as error:
            raise AuditError(
                f"{action}已完成({';'.join(said) or detail}),但操作日志未能写完:{error}"
            ) from error


def by_label(text: str, key: str, label: str) -> str:
    """Call a layer by its name where a message of the workspace calls it by its key."""
    return text.replace(f"“{key}”", f"“{label}”")

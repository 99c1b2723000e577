"""A contract for import-linter: what a room may import at all, the standard library always being allowed."""

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class MayImport(Contract):
    """The modules of some rooms import nothing but the standard library, each other and what is allowed.

    Only direct imports count. Options, each a list of module names that stand for all below them too:
    - `rooms`: whose imports are looked at; a room that does not exist yet is no fault.
    - `apart_from`: modules of the rooms that are not looked at (optional).
    - `allowed`: what may be imported, of ours or of others (optional).
    """

    type_name = "may_import"

    rooms = fields.ListField(subfield=fields.StringField())
    apart_from = fields.ListField(subfield=fields.StringField(), required=False)
    allowed = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001  # import-linter calls it so
        """Return every import that is not allowed, as lines for people."""
        rooms, apart_from = _names(self.rooms), _names(self.apart_from)
        allowed = [*rooms, *_names(self.allowed)]
        faults = [
            f"{importer} imports {imported} ({_lines(graph, importer, imported)})"
            for importer in sorted(graph.modules)
            if _is_below(importer, rooms) and not _is_below(importer, apart_from)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _is_below(imported, allowed) and not _is_standard(imported)
        ]
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the faults and what is allowed."""
        for fault in check.metadata["faults"]:
            output.print_error(fault, bold=False)
        output.print_error(f"allowed: {', '.join(_names(self.allowed)) or 'the standard library only'}", bold=False)


def _names(field: Any) -> list[str]:
    return list(field or [])


def _is_below(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _lines(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return ", ".join(f"line {detail['line_number']}" for detail in details)

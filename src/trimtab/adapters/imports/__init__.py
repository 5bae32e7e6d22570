"""Files of brokers and of one's own, read by their content: one importer a format."""

from trimtab.adapters.imports.detect import import_file
from trimtab.adapters.imports.mapping import ColumnMapping, read_mapping

__all__ = ["ColumnMapping", "import_file", "read_mapping"]

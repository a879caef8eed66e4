"""Import results that others computed, and export results for other programs.

Imported scores keep their source, protocol and licence and are marked as imported: they have no
separation on this machine. Exported numbers name their aggregation.
"""

from benchbench.results.interchange.benchbench_import import import_benchbench
from benchbench.results.interchange.huggingface_evals import export_evals
from benchbench.results.interchange.huggingface_export import export_huggingface
from benchbench.results.interchange.huggingface_push import push_evals
from benchbench.results.interchange.known_sources import (
    SISEC18,
    SISEC18_ROLES,
    STEMSPLIT,
    held,
    import_sisec18,
    import_stemsplit,
)
from benchbench.results.interchange.latex_export import latex_table
from benchbench.results.interchange.msst_import import import_msst
from benchbench.results.interchange.museval_export import export_museval
from benchbench.results.interchange.museval_import import import_museval
from benchbench.results.interchange.provenance import Imported, Roles, Source
from benchbench.results.interchange.ratings_import import import_ratings
from benchbench.results.interchange.table_import import Mapping, import_table, read_mapping
from benchbench.results.interchange.tidy_export import tidy_csv, usual_aggregation
from benchbench.results.interchange.webmushra_export import export_webmushra
from benchbench.results.interchange.webmushra_import import import_webmushra

__all__ = [
    "SISEC18",
    "SISEC18_ROLES",
    "STEMSPLIT",
    "Imported",
    "Mapping",
    "Roles",
    "Source",
    "export_evals",
    "export_huggingface",
    "export_museval",
    "export_webmushra",
    "held",
    "import_benchbench",
    "import_msst",
    "import_museval",
    "import_ratings",
    "import_sisec18",
    "import_stemsplit",
    "import_table",
    "import_webmushra",
    "latex_table",
    "push_evals",
    "read_mapping",
    "tidy_csv",
    "usual_aggregation",
]

# What every rule shares: the plan, and functions from names to paths.
#
# The plan is made from the checked configuration (borderlab.plan) and knows every result by name. Its snapshot is what
# the jobs read, and what a job on another node plans from: editing a file in config/ while jobs wait cannot change them.
import sys

from borderlab.errors import BorderlabError
from borderlab.workflow import Workflow, growing

try:
    # Whether results that stand stay is asked when the DAG is built: Snakemake knows its options only then.
    PLANNED = Workflow.from_environment() if workflow.remote_exec else None
    WORKFLOW = PLANNED or Workflow.from_config(
        config,
        workflow.config_settings.configfiles,
        lambda: not (workflow.dag_settings.forceall or workflow.dag_settings.forcerun),
    )
except BorderlabError as fault:
    sys.exit(f"borderlab: error: {fault}")

PLAN = WORKFLOW.plan
PATHS = WORKFLOW.paths
CONFIG = WORKFLOW.snapshot


wildcard_constraints:
    dataset=r"[^/]+",
    split=r"[^/]+",
    motion_model=r"[^/]+",
    motion=r"[^/]+/[^/]+",
    synthesis=r"[^/]+/[^/]+",
    score=r"[^/]+/[^/]+",
    run=r"[^/]+/[^/]+",
    probe=r"[^/]+",
    census=r"[^/]+",
    evaluation=r"evaluation-[0-9a-f]+",
    report=r"[^/]+",

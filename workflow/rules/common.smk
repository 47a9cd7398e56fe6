# What every rule shares: the plan, and functions from names to paths.
#
# The plan is made from the checked configuration (borderlab.plan) and knows every result by name. Its snapshot is what
# the jobs read, and what a job on another node plans from: editing a file in config/ while jobs wait cannot change them.
import sys

from borderlab.errors import BorderlabError
from borderlab.workflow import Workflow, growing

try:
    # Whether results that stand stay is asked when the DAG is built: Snakemake knows its options only then.
    TRUST = lambda: not (workflow.dag_settings.forceall or workflow.dag_settings.forcerun)
    PLANNED = Workflow.from_environment(TRUST) if workflow.remote_exec else None
    WORKFLOW = PLANNED or Workflow.from_config(config, workflow.config_settings.configfiles, TRUST)
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


# Snakemake's default limit on jobs per second sets a timer whenever jobs are looked for, and they are looked for again
# when it ends; each job that ends begins one more such chain, so that after some hundred jobs the controller keeps a good
# part of a core busy. `jobs` and `cores` limit enough; a limit that somebody asks for stays.
onstart:
    limit = workflow.scheduler.job_rate_limiter
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None

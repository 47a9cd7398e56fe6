# Borderlab's one DAG: data -> motion -> synthesis -> training -> evaluation, probes -> tables -> report.
#
#   snakemake                                        the smoke experiment (config/smoke.yaml)
#   snakemake --configfile config/camvid.yaml        real street video on one machine
#   snakemake -n --configfile config/paper.yaml      what both papers need, without any data
#
# Paths carry the hash of what decides their content (borderlab.identity), so a file that exists is right: inputs are
# `ancient`, modification times decide nothing, and a changed setting gives new paths for just what depends on it.
from snakemake.utils import min_version

min_version("9.27")

# Not `configfile:` alone: Snakemake would merge it under the file of --configfile, and two experiments would mix.
if not workflow.config_settings.configfiles:

    configfile: "config/smoke.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/propagation.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/probe.smk"
include: "workflow/rules/census.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    publish_results,


rule all:
    default_target: True
    input:
        WORKFLOW.targets(),

rule probe_network:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_probe(wildcards.probe)),
    output:
        PATHS.probe("{probe}"),
    log:
        "logs/probe_network/{probe}.log",
    benchmark:
        "benchmarks/probe_network/{probe}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: lambda wildcards: PLAN.probes[wildcards.probe].spec.threads
    resources:
        mem_mb=growing(lambda wildcards: PLAN.probes[wildcards.probe].resources.mem_mb),
        runtime=growing(lambda wildcards: PLAN.probes[wildcards.probe].resources.runtime_min),
        gpu=lambda wildcards: PLAN.probes[wildcards.probe].resources.gpus,
    params:
        config=CONFIG,
    message:
        "Probe {wildcards.probe}"
    shell:
        "borderlab probe {wildcards.probe:q} --config {params.config:q} > {log:q} 2>&1"

rule tabulate_results:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_report()),
    output:
        PATHS.tables("{report}"),
    log:
        "logs/tabulate_results/{report}.log",
    benchmark:
        "benchmarks/tabulate_results/{report}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        config=CONFIG,
    message:
        "Tabulate {wildcards.report}"
    shell:
        "borderlab tabulate --config {params.config:q} > {log:q} 2>&1"


rule report_experiment:
    input:
        lambda wildcards: ancient(
            WORKFLOW.missing_inputs(PATHS.report(wildcards.report), PATHS.tables(wildcards.report))
        ),
    output:
        PATHS.report("{report}"),
    log:
        "logs/report_experiment/{report}.log",
    benchmark:
        "benchmarks/report_experiment/{report}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        config=CONFIG,
    message:
        "Report {wildcards.report}"
    shell:
        "borderlab report --config {params.config:q} > {log:q} 2>&1"


# The stable names in results/ belong to one report at a time. The stamp carries the report's name and goes when
# another report takes its place, so going back to an earlier configuration publishes its report again.
rule publish_results:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_publication()),
    output:
        PATHS.stamp(PLAN.experiment_id),
        report(PATHS.published_pages, category="Report", caption="../captions/pages.rst"),
        report(PATHS.published_tables("tables"), category="Tables", caption="../captions/tables.rst"),
        PATHS.published_tables("parquet"),
    log:
        f"logs/publish_results/{PLAN.experiment_id}.log",
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        config=CONFIG,
    message:
        f"Publish {PLAN.experiment_id} to {PATHS.results}"
    shell:
        "borderlab publish --config {params.config:q} > {log:q} 2>&1"

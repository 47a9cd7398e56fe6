rule fetch_dataset:
    output:
        PATHS.receipt("{dataset}", "{split}"),
    log:
        "logs/fetch_dataset/{dataset}/{split}.log",
    benchmark:
        "benchmarks/fetch_dataset/{dataset}/{split}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(WORKFLOW.fetch_runtime_min),
    params:
        config=CONFIG,
        dataset=lambda wildcards: WORKFLOW.dataset_of_receipts(wildcards.dataset),
    message:
        "Fetch {wildcards.dataset} {wildcards.split} and verify it"
    shell:
        "borderlab fetch {params.dataset:q} --split {wildcards.split:q} --config {params.config:q}"
        " --receipt {output:q} > {log:q} 2>&1"

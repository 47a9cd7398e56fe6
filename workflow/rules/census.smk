rule count_padding:
    output:
        PATHS.census("{census}"),
    log:
        "logs/count_padding/{census}.log",
    benchmark:
        "benchmarks/count_padding/{census}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        pattern=lambda wildcards: PLAN.census.pattern,
    message:
        "Count the padding of timm's architectures"
    shell:
        "borderlab census {output:q} --only {params.pattern:q} --trace > {log:q} 2>&1"

rule estimate_motion:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_motion(wildcards.motion)),
    output:
        PATHS.motion("{motion}"),
    log:
        "logs/estimate_motion/{motion}.log",
    benchmark:
        "benchmarks/estimate_motion/{motion}.tsv"
    resources:
        mem_mb=4000,
        runtime=lambda wildcards: WORKFLOW.motion_runtime_min(wildcards.motion),
    threads: 1
    message:
        "Estimate motion {wildcards.motion}"
    conda:
        "../envs/borderlab.yaml"
    params:
        config=CONFIG,
    shell:
        "borderlab motion {wildcards.motion:q} --config {params.config:q} > {log:q} 2>&1"


rule synthesise_samples:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_synthesis(wildcards.synthesis)),
    output:
        PATHS.synthesis("{synthesis}"),
    log:
        "logs/synthesise_samples/{synthesis}.log",
    benchmark:
        "benchmarks/synthesise_samples/{synthesis}.tsv"
    resources:
        mem_mb=2000,
        runtime=lambda wildcards: WORKFLOW.synthesis_runtime_min(wildcards.synthesis),
    threads: 1
    message:
        "Move frames and labels: {wildcards.synthesis}"
    conda:
        "../envs/borderlab.yaml"
    params:
        config=CONFIG,
    shell:
        "borderlab synthesise {wildcards.synthesis:q} --config {params.config:q} > {log:q} 2>&1"


rule score_propagation:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_score(wildcards.score)),
    output:
        PATHS.score("{score}"),
    log:
        "logs/score_propagation/{score}.log",
    benchmark:
        "benchmarks/score_propagation/{score}.tsv"
    resources:
        mem_mb=2000,
        runtime=60,
    threads: 1
    message:
        "Score moved labels against true ones: {wildcards.score}"
    conda:
        "../envs/borderlab.yaml"
    params:
        config=CONFIG,
    shell:
        "borderlab score {wildcards.score:q} --config {params.config:q} > {log:q} 2>&1"

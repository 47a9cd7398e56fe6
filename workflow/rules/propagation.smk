rule train_motion:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_motion_model(wildcards.motion_model)),
    output:
        PATHS.motion_model_files("{motion_model}"),
    log:
        "logs/train_motion/{motion_model}.log",
    benchmark:
        "benchmarks/train_motion/{motion_model}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: lambda wildcards: WORKFLOW.motion_training_cpus(wildcards.motion_model)
    resources:
        mem_mb=growing(lambda wildcards: PLAN.motion_models[wildcards.motion_model].resources.mem_mb),
        runtime=growing(lambda wildcards: PLAN.motion_models[wildcards.motion_model].resources.runtime_min),
        gpu=lambda wildcards: PLAN.motion_models[wildcards.motion_model].resources.gpus,
    params:
        config=CONFIG,
    message:
        "Train motion model {wildcards.motion_model}"
    # exec: a signal to the job reaches the training process itself, which then writes a checkpoint.
    shell:
        "exec borderlab train-motion {wildcards.motion_model:q} --config {params.config:q} > {log:q} 2>&1"


rule estimate_motion:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_motion(wildcards.motion)),
    output:
        PATHS.motion("{motion}"),
    log:
        "logs/estimate_motion/{motion}.log",
    benchmark:
        "benchmarks/estimate_motion/{motion}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(lambda wildcards: WORKFLOW.motion_runtime_min(wildcards.motion)),
    params:
        config=CONFIG,
    message:
        "Estimate motion {wildcards.motion}"
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
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(lambda wildcards: WORKFLOW.synthesis_runtime_min(wildcards.synthesis)),
    params:
        config=CONFIG,
    message:
        "Move frames and labels: {wildcards.synthesis}"
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
    conda:
        "../envs/borderlab.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        config=CONFIG,
    message:
        "Score moved labels against true ones: {wildcards.score}"
    shell:
        "borderlab score {wildcards.score:q} --config {params.config:q} > {log:q} 2>&1"

rule train_network:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_run(wildcards.run)),
    output:
        PATHS.trained("{run}"),
    log:
        "logs/train_network/{run}.log",
    benchmark:
        "benchmarks/train_network/{run}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: lambda wildcards: WORKFLOW.training_cpus(wildcards.run)
    resources:
        mem_mb=growing(lambda wildcards: PLAN.runs[wildcards.run].resources.mem_mb),
        runtime=growing(lambda wildcards: PLAN.runs[wildcards.run].resources.runtime_min),
        gpu=lambda wildcards: PLAN.runs[wildcards.run].resources.gpus * PLAN.runs[wildcards.run].resources.nodes,
        nodes=lambda wildcards: PLAN.runs[wildcards.run].resources.nodes,
        # On several nodes: one task on each, the same number of GPUs on each, and no `srun -n1` of Snakemake's around
        # the training's own.
        mpi=lambda wildcards: WORKFLOW.on_several_nodes(wildcards.run, 1),
        tasks=lambda wildcards: WORKFLOW.on_several_nodes(wildcards.run, PLAN.runs[wildcards.run].resources.nodes),
        tasks_per_gpu=lambda wildcards: WORKFLOW.on_several_nodes(wildcards.run, 0),
        slurm_extra=lambda wildcards: WORKFLOW.even_gpus(wildcards.run),
    params:
        config=CONFIG,
    message:
        "Train {wildcards.run}"
    # exec: a signal to the job reaches the training process itself, which then writes a checkpoint.
    shell:
        "exec borderlab train {wildcards.run:q} --config {params.config:q} > {log:q} 2>&1"


rule evaluate_network:
    input:
        lambda wildcards: ancient(WORKFLOW.inputs_of_evaluation(wildcards.run, wildcards.evaluation)),
    output:
        PATHS.evaluation("{run}", "{evaluation}"),
    log:
        "logs/evaluate_network/{run}-{evaluation}.log",
    benchmark:
        "benchmarks/evaluate_network/{run}-{evaluation}.tsv"
    conda:
        "../envs/borderlab.yaml"
    threads: lambda wildcards: WORKFLOW.evaluation_cpus(wildcards.run)
    resources:
        mem_mb=growing(lambda wildcards: PLAN.runs[wildcards.run].resources.mem_mb),
        runtime=growing(lambda wildcards: WORKFLOW.evaluation_runtime_min(wildcards.run)),
        # One process evaluates, however many trained.
        gpu=lambda wildcards: min(1, PLAN.runs[wildcards.run].resources.gpus),
    params:
        config=CONFIG,
    message:
        "Evaluate {wildcards.run}"
    shell:
        "borderlab evaluate {wildcards.run:q} --config {params.config:q} > {log:q} 2>&1"

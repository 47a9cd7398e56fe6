#!/bin/sh
# What became of the PBS job $1: running, success or failed. A job that PBS knows no more has failed; where PBS does not
# answer, nothing is known, and a job that may still run must not be submitted again.
answer=$(qstat -x -f "$1" 2>&1) || case "$answer" in
    *[Uu]nknown*) echo failed; exit ;;
    *) echo running; exit ;;
esac
echo "$answer" | awk '
    $1 == "job_state" { state = $3 }
    $1 == "Exit_status" { status = $3 }
    END {
        if (state == "F" && status != "0") print "failed"
        else if (state == "F") print "success"
        else print "running"
    }'

#!/bin/sh
# What became of the PBS job $1: running, success or failed. A job that PBS knows no more has failed.
qstat -x -f "$1" 2>/dev/null | awk '
    $1 == "job_state" { state = $3 }
    $1 == "Exit_status" { status = $3 }
    END {
        if (state == "" || (state == "F" && status != "0")) print "failed"
        else if (state == "F") print "success"
        else print "running"
    }'

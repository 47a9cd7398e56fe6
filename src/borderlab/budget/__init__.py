"""What an experiment will cost, told beforehand: GPU hours, CPU hours, disk, and the longest chain of jobs."""

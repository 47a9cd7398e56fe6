"""Motion models: one file and one line in `names` each."""

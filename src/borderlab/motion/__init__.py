"""Motion models: one file and one registry line each."""

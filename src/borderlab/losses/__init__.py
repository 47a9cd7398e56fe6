"""Training losses: one file and one registry line each."""

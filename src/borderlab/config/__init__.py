"""The experiment's configuration: schema, loading, generated documentation."""

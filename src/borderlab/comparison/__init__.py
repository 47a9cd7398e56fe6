"""Two trees of results, cell by cell: another commit, machine or library version, or a published reference set."""

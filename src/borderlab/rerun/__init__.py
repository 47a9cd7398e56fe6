"""From a number in a table back to its runs, and those runs made again."""

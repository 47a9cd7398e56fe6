"""Published tables and claims, and what an experiment has to say about each of them."""

"""From data to models: simulate, train, evaluate, and the command line."""

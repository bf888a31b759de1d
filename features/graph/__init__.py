"""Who engages with whom: groups that act together, and what the neighbours of a node look like."""

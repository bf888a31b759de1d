"""How good a release is on what it has not seen: what is measured, by which measure, and the report of it."""

"""Tables, their contract, and what models see of them: plain functions of (tables, as_of)."""

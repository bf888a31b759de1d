"""What serving costs, from a thousand creators to a million, beside a plain service that does the same job."""

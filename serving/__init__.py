"""The HTTP service: request types, the store, keys, and BentoML, which nothing outside this folder touches."""

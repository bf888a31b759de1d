"""Named benchmarks on real data, run by ``creatormatch benchmark NAME --data DIR``."""

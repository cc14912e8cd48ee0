"""Domain-free kernel: data contracts, registry, store, runner, jobs."""

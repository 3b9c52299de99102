"""Token buckets: fitted to losses, searched, measured by what passed, and how well they are known."""

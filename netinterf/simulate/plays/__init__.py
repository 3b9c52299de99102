"""The scenarios, one module per family: who talks, over which path, and who interferes or what only looks like it."""

"""Who did it, on systems that are known: how common traits are, and whether the catalogue names the right one."""

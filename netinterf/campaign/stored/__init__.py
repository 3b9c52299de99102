"""What a store is on the disk: tables and their columns, keys of names, parts that count, and how they are merged."""

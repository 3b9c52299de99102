"""From the rows of a store to what is said of each cell, as a whole and by day."""

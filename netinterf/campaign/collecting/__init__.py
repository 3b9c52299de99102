"""From captures and measurements to rows of a store: batches, workers, marks, and captures that are cut by time."""

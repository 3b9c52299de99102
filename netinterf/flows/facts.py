"""Facts about a capture as a whole: where it was taken, and which signals it cannot carry."""

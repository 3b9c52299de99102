"""From packets to conversations: who talks to whom, in which order, and how long answers take."""

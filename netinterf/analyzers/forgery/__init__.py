"""What any packet that somebody may have forged is held against: its claimed sender's time, numbers and headers."""

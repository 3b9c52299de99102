"""What the literature documents: systems that interfere, and benign causes that look alike; each must be played."""

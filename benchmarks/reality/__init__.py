"""Real captures decide: verdicts on public captures, each repository judged by weights that never saw it.

``reserve`` says which repositories nobody may look at.
"""

"""The command ``netinterf``."""

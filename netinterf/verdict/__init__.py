"""Judgement: what the evidence about each flow and DNS exchange adds up to. How it is said: `netinterf.written`."""

from netinterf.verdict.combine import classify
from netinterf.verdict.model import Model, default_model

__all__ = ["Model", "classify", "default_model"]

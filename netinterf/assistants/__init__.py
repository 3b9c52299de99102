"""Captures for assistants: what a language model may ask of a folder, over the Model Context Protocol.

Whoever sent the packets may have written them for the model that reads about them. So what is answered has two parts:
sentences and numbers of the library, in which stand-ins take the place of every name, and beside them, under
``untrusted``, what the stand-ins stand for, where that may be told.
"""

from netinterf.assistants.setting import Setting

__all__ = ["Setting"]

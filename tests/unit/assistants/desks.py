"""Desks that answer badly, for the tests of who asks them in another process."""

import os
import time

from netinterf.assistants.desk import Desk

__all__ = ["Bad"]


class Bad(Desk):
    """Sleeps, dies, or says which process it is."""

    def answer(self, name, arguments):
        """Do what is asked for."""
        if name == "sleep":
            time.sleep(60)
        if name == "die":
            os._exit(3)
        return {"process": os.getpid(), **arguments}

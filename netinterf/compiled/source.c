#include "shared.h"

/* Tells a library that was built from another state of these files, which is not used (`__init__.py`). */
SHARED const uint32_t source = SOURCE;

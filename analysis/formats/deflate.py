"""What a damaged compressed stream raises, whoever unpacks it.

fastnda puts isal in the place of zlib, for the whole process, where it is installed: from then on every format that is packed
(xlsx, npz, MATLAB, TIFF, Athena projects) raises isal's own error, which is no ``zlib.error``.
"""

import zlib

DAMAGED: tuple[type[Exception], ...] = (zlib.error,)
try:
    from isal import igzip_lib
except ImportError:
    pass
else:
    DAMAGED += (getattr(igzip_lib, "IsalError"),)  # noqa: B009 - its type stub calls the class an instance

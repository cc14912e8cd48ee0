"""What a damaged compressed stream raises, whoever unpacks it.

fastnda puts isal in the place of zlib, for the whole process, where it is installed: from then on every format that is packed
(xlsx, npz, MATLAB, TIFF, Athena projects) raises isal's own error, which is no ``zlib.error``.
"""

import zlib

try:
    from isal.igzip_lib import IsalError
except ImportError:
    DAMAGED: tuple[type[Exception], ...] = (zlib.error,)
else:
    DAMAGED = (zlib.error, IsalError)

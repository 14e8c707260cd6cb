"""What the readers of others raise where a file is damaged, as seen when bytes of files were changed."""

import struct
import tokenize
import zipfile
import zlib
from xml.etree.ElementTree import ParseError

DAMAGED: tuple[type[Exception], ...] = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,  # a length that is none
    OSError,
    OverflowError,
    ParseError,
    RuntimeError,  # also NotImplementedError, and a file with a password
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)

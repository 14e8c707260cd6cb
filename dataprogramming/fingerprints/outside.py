"""What makes a rule answer differently from call to call or from place to place, so that no vote can be kept.

Names that a rule's code uses are looked up here. Where a name is not here, its answer is taken to follow from
what it is given: that is so for functions that compute, which is what rules are made of.
"""

_RANDOM, _CLOCK = "is drawn at random", "asks the clock"
_FILES, _PLACE = "reads files", "depends on the machine or the process"
_NETWORK, _DATABASE = "asks the network", "asks a database"
_CODE, _STATE = "runs code that cannot be seen here", "changes something by name"
_SAME = ""  # answers alike everywhere

# A dotted name stands for all that is below it; the longest name that fits decides. Of functions that the
# standard library takes from elsewhere, the place where they are defined is here too: `_io`, `posixpath`.
_WHY = {
    name: why
    for why, names in {
        _RANDOM: """
            random secrets uuid numpy.random scipy.stats.qmc torch.rand torch.randn torch.randint
            torch.randperm torch.normal torch.bernoulli torch.multinomial langdetect
            """,
        _CLOCK: "time",
        _FILES: """
            builtins.open _io io.open io.FileIO codecs.open fileinput linecache glob shutil tempfile mmap
            zipfile tarfile gzip.open bz2.open lzma.open importlib.resources genericpath posixpath.realpath
            posixpath.lexists posixpath.islink posixpath.ismount ntpath.realpath nltk.corpus nltk.data
            numpy.load numpy.loadtxt numpy.genfromtxt numpy.fromfile numpy.memmap joblib.load pandas.io
            pandas.read_csv pandas.read_table pandas.read_json pandas.read_parquet pandas.read_excel
            pandas.read_pickle pandas.read_feather pandas.read_fwf pandas.read_html pandas.read_xml
            pandas.read_hdf pandas.read_orc pyarrow.parquet pyarrow.csv pyarrow.feather pyarrow.dataset
            dataprogramming.lookup
            """,
        _PLACE: """
            os nt posix sys platform locale getpass gc tracemalloc resource pwd grp builtins.id builtins.hash
            builtins.input posixpath.abspath posixpath.expanduser posixpath.expandvars posixpath.relpath
            ntpath.abspath ntpath.expanduser multiprocessing concurrent threading _thread asyncio weakref
            """,
        _NETWORK: """
            socket ssl http urllib.request requests httpx aiohttp urllib3 ftplib smtplib imaplib poplib xmlrpc
            openai anthropic boto3 google.cloud googletrans deep_translator tldextract dns
            """,
        _DATABASE: """
            sqlite3 sqlalchemy psycopg psycopg2 pymysql crate dbm shelve redis pymongo pandas.read_sql
            """,
        _CODE: """
            builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.globals
            builtins.breakpoint subprocess importlib runpy ctypes cffi inspect pickle dill cloudpickle marshal
            """,
        _STATE: "builtins.setattr builtins.delattr",
        _SAME: """
            os.path os.sep os.linesep os.fspath os.PathLike sys.maxsize sys.maxunicode sys.float_info
            sys.byteorder sys.intern time.strptime time.struct_time genericpath.commonprefix
            """,
    }.items()
    for name in names.split()
}

# Called on an object of whatever kind.
_METHODS = {
    name: why
    for why, names in {
        _CLOCK: "now utcnow today",
        _FILES: """
            read_text read_bytes write_text write_bytes iterdir rglob is_file is_dir exists stat open readline
            readlines
            """,
        _PLACE: "cwd home expanduser resolve fromtimestamp astimezone",
        _RANDOM: "rvs sample",
        _DATABASE: "execute executemany fetchone fetchall",
    }.items()
    for name in names.split()
}
# Looked up on an object of whatever kind: they show what a fingerprint leaves out, or lead around it.
_ATTRIBUTES = {
    *("__doc__", "__module__", "__code__", "__globals__", "__closure__", "__defaults__"),
    *("__annotations__", "__subclasses__", "__builtins__", "gi_frame", "f_back", "tb_frame"),
}


def why_outside(dotted: str) -> str:
    """Why the answers of a library's function, class or module cannot be relied on; empty where they can.

    Args:
        dotted: its full name.

    Example:
        >>> why_outside("numpy.random.rand"), why_outside("numpy.mean"), why_outside("os.path.join")
        ('is drawn at random', '', '')
    """
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        why = _WHY.get(".".join(parts[:end]))
        if why is not None:
            return why
    return ""


def partly_outside(module: str) -> bool:
    """Whether a module has members whose answers cannot be relied on."""
    return any(name.startswith(f"{module}.") for name, why in _WHY.items() if why)


def why_method(name: str) -> str:
    """Why the answer of a method of this name cannot be relied on, whatever it is called on; or empty."""
    return _METHODS.get(name, "")


def leads_around(attribute: str) -> bool:
    """Whether an attribute shows what a fingerprint leaves out, such as docstrings."""
    return attribute in _ATTRIBUTES

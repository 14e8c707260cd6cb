"""What installing this project leaves beside its code: its version and the command `adaptml`.

python own-distribution.py pyproject.toml FOLDER     FOLDER is laid over a virtual environment
"""

import sys
import sysconfig
import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
    environment, folder = Path(sys.prefix), Path(sys.argv[2])
    site = folder / Path(sysconfig.get_path("purelib")).relative_to(environment)
    record = site / f"{project['name']}-{project['version']}.dist-info" / "METADATA"
    record.parent.mkdir(parents=True)
    record.write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    for name, place in project["scripts"].items():
        module, _, function = place.partition(":")
        command = folder / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!{sys.executable}\nfrom {module} import {function}\n\n{function}()\n")
        command.chmod(0o755)

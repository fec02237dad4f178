"""Run as ``python -I -S check_package.py UNPACKED TEMPLATE RUNTIME NAME...``: is the zip whole?

-I and -S keep the project, its virtual environment and the user's packages out of sight: what is
imported here comes from the zip, from the standard library, or from RUNTIME, the folder with boto3
that Lambda's runtime brings.
"""

import importlib
import os
import re
import sys
from pathlib import Path

# Never in the zip: the runtime has the first ones, and only commands and tests use the others.
UNWANTED = (
    *("boto3", "botocore", "typer", "rich", "chalice_cli", "pytest", "moto"),
    *("auditor/cli", "auditor/__main__.py", "tests", "tools", "bench", ".chalice"),
)


def fail(message: str) -> None:
    """End with one line and status 1."""
    sys.exit(message)


def normal(name: str) -> str:
    """Return a distribution's name as comparisons want it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Check the files, then import the app and look for every handler that the template names."""
    unpacked, template, runtime, *names = sys.argv[1:]
    root = Path(unpacked)
    present = {normal(path.name.split("-")[0]) for path in root.glob("*.dist-info")}
    missing = [name for name in names if name not in present]
    if missing:
        fail(f"not in the zip: {', '.join(missing)}")
    if not (root / "auditor" / "audit.py").is_file():
        fail("not in the zip: auditor")
    extra = [name for name in UNWANTED if (root / name).exists()]
    if extra:
        fail(f"in the zip, but not needed there: {', '.join(extra)}")

    handlers = re.findall(r"^ +Handler: (\S+)$", Path(template).read_text("utf-8"), re.MULTILINE)
    if not handlers:
        fail("the template names no handler")
    sys.path[:0] = [unpacked]
    sys.path.append(runtime)
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    for handler in handlers:
        module_name, name = handler.rsplit(".", 1)
        module = importlib.import_module(module_name)
        if not callable(getattr(module, name, None)):
            fail(f"{handler}: no such handler in the zip")
    strays = sorted(
        name
        for name in ("app", "auditor", "chalice", "chalicelib", "pydantic")
        if not str(sys.modules[name].__file__).startswith(unpacked)
    )
    if strays:
        fail(f"imported from outside the zip: {', '.join(strays)}")
    print(f"checked: {', '.join(sorted(handlers))} import from the zip alone")


if __name__ == "__main__":
    main()

"""``python -m trackside.cli`` is the command ``trackside``."""

from trackside.cli import main

main()

"""What the project's own scenarios share."""

pytest_plugins = ["pytester"]

"""A local Segment, Statsig, Split (Harness FME) and LaunchDarkly for tests and development."""

__version__ = "0.1.0"

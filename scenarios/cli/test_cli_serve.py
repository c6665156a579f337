"""``trackside serve``: every vendor on its port, its log, and its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import urllib.request
from pathlib import Path

import pytest


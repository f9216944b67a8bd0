#!/usr/bin/env python3
"""localstripe on this machine only (its own command binds every address).

    localstripe_here.py PORT
"""
import sys

from aiohttp import web
from localstripe.server import app

web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)

"""The TFX pipeline: its config, its components and its runners."""

import time

STARTED = time.time()  # before Python reads any other file of ours

"""Asks servers that no proxy stands before, such as those on this machine."""

import urllib.request

# As urllib.request.urlopen, which would ask the proxy that the environment names.
urlopen = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

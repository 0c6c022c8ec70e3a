"""A stand-in for Anthropic's API on this machine: a server, its faults and a simple reader."""

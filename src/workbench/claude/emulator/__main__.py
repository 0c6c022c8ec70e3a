"""Run the emulator: ``python -m workbench.claude.emulator --port 0``."""

from workbench.claude.emulator.server import main

if __name__ == "__main__":
    main()

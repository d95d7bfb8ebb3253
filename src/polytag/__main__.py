"""The command `python -m polytag`: the command `polytag` of the Python that runs it."""

from polytag.cli.start import main

if __name__ == "__main__":
    main()

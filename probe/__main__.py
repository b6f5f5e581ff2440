"""`python -m probe` is the same command as `probe`."""

from probe.cli import main

if __name__ == "__main__":
    main()

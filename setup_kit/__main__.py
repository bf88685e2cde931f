"""`python -m setup_kit` is `setup-kit`."""

from setup_kit.cli import main

if __name__ == "__main__":
    main()

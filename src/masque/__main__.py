"""`python -m masque`."""

from masque.cli.main import main

if __name__ == "__main__":
    main()

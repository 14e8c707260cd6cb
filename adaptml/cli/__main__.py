"""`python -m adaptml.cli`: the command line where no script is installed."""

from adaptml.cli import main

if __name__ == "__main__":
    main()

"""``python -m motif.ingest.sandbox``: the sandbox without the rest of Motif's command line."""

from motif.ingest.sandbox.commands import app

if __name__ == "__main__":
    app()

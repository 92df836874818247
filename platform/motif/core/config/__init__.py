"""Settings of a workspace (``motif.toml``) and how a running process follows their changes."""

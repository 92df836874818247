"""The command line: the command tree and the commands of the core."""

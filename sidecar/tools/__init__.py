"""What the command line does with a database or a file, without a server."""

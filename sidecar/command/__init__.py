"""The command line: runs the server, and asks it questions."""

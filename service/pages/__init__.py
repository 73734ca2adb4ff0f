"""Pages for people, drawn on the server: thin, they call the packages."""

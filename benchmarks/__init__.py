"""How fast the parts are on this machine; `./run bench [NAME]` prints a table each."""

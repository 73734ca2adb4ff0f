"""The running service: wires the packages to the world."""

"""The public verdict on a printed code or a file, from public artefacts only."""

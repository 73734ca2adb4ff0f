"""The main job, walked over HTTP for all to see: `./run demo`, and the journey test."""

"""One training loop, its losses, checkpoints and data windows."""

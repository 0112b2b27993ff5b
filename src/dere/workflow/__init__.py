"""What the rules themselves need: which code a script runs, where it logs."""

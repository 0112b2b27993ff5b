"""The library: what ``import dere`` offers, on top of everything else. The rules call the same functions below."""

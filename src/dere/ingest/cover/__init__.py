"""Plant-type maps and stand ages, on grids and at towers."""

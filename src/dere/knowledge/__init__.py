"""What is known of plants, water and seasons, brought to drivers as channels; numpy alone, no label and no file."""

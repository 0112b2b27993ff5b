"""The processed arrays of the published DERE code: simulation, cover and towers in npz files without coordinates."""

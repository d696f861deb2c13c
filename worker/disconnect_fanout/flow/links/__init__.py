"""Links as the flow needs them: kept by others, or opened and closed by events."""

"""Speed against written bounds, and against the closest peer."""

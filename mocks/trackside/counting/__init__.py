"""Will it count? Exposures and metric events joined by unit, under each vendor's own conditions."""

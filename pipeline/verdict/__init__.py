"""What is measured of every model, the limits, the decision, and the package for devices."""

"""What is measured of each model, the limits, the verdict, and the package for devices."""

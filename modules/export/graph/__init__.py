"""TFLite files as graphs: how they are read and edited."""

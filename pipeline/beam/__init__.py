"""The engines that Beam's work runs on."""

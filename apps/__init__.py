"""What becomes of the pushed models on devices: a page, an Android app, a microcontroller."""

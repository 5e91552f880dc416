"""The Android app, and the Java library that it is made of, which runs on the JVM, too."""

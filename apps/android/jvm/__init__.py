"""The library on the JVM: what runs device models there, and what the library's tests need."""

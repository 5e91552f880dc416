// The library has no Android in it: whoever has a Runner can use it, also on the JVM. `org.json` is
// part of Android.
plugins {
    `java-library`
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

dependencies {
    compileOnly("org.json:json:20250517")
}

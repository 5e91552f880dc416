plugins {
    id("com.android.application")
}

android {
    namespace = "mnistjax.app"
    compileSdk = 35

    defaultConfig {
        applicationId = "mnistjax.app"
        minSdk = 24
        targetSdk = 29
        versionCode = 1
        versionName = "1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    // `-Passets=OUTPUT/android/assets`: what `make android` makes of device/ and personal/.
    sourceSets["main"].assets.srcDir(providers.gradleProperty("assets").orElse("assets"))

    testOptions { unitTests.isIncludeAndroidResources = true }
    packaging { jniLibs.useLegacyPackaging = true }
}

dependencies {
    implementation(project(":library"))
    implementation("org.tensorflow:tensorflow-lite:2.16.1")
}

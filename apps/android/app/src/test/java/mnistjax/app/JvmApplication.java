package mnistjax.app;

import java.io.File;
import mnistjax.device.FileSource;
import mnistjax.device.RunnerFactory;
import mnistjax.device.jvm.JvmRunner;

/** The app with the interpreter of the JVM, and with packages of a test's choice. */
public final class JvmApplication extends DeviceApplication {
    /** Folder with device/ and personal/ in place of the app's assets; null for these. */
    static File packages;

    /** Folder of the states; null for the app's own. */
    static File states;

    @Override
    protected RunnerFactory runtime() {
        return JvmRunner.factory(JvmRunner.Kernels.XNNPACK);
    }

    @Override
    protected FileSource files(String folder) {
        return packages == null
                ? super.files(folder)
                : FileSource.folder(new File(packages, folder));
    }

    @Override
    protected File states() {
        return states == null ? super.states() : states;
    }
}

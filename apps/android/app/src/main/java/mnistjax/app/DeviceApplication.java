package mnistjax.app;

import android.app.Application;
import java.io.File;
import java.io.IOException;
import mnistjax.app.files.AssetFiles;
import mnistjax.device.DeviceException;
import mnistjax.device.FileSource;
import mnistjax.device.RunnerFactory;
import mnistjax.device.personal.TransferLearningModel;

/** What outlives a rotation: the models, what was taught, and the thread they work on. */
public class DeviceApplication extends Application {
    /** Folder of the assets with the device models. */
    public static final String DEVICE = "device";

    /** Folder of the assets with the personal model. */
    public static final String PERSONAL = "personal";

    private Worker worker;
    private Models models;
    private Teaching teaching;

    /** Says what runs the models. */
    protected RunnerFactory runtime() {
        return TfliteRunner::open;
    }

    /** Says where the files of a package are. */
    protected FileSource files(String folder) {
        return new AssetFiles(getAssets(), folder);
    }

    /** Says where what was taught is kept. */
    protected File states() {
        return new File(getFilesDir(), "taught");
    }

    /** Returns the thread of all models. */
    synchronized Worker worker() {
        worker = worker == null ? new Worker() : worker;
        return worker;
    }

    /** Returns the device models. */
    synchronized Models models() throws DeviceException {
        models = models == null ? new Models(files(DEVICE), runtime()) : models;
        return models;
    }

    /** Says whether the app was built with a personal model. */
    boolean canTeach() {
        try {
            files(PERSONAL).open(StateFile.MANIFEST).close();
            return true;
        } catch (IOException error) {
            return false;
        }
    }

    /** Returns the personal model with what was taught; to be called on the worker's thread. */
    synchronized Teaching teaching() throws DeviceException {
        if (teaching == null) {
            TransferLearningModel model =
                    TransferLearningModel.load(files(PERSONAL), runtime());
            teaching = new Teaching(model, new StateFile(states(), files(PERSONAL)));
        }
        return teaching;
    }
}

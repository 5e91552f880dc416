package mnistjax.app;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mnistjax.device.Classifier;
import mnistjax.device.DeviceException;
import mnistjax.device.DeviceModel;
import mnistjax.device.DevicePackage;
import mnistjax.device.FileSource;
import mnistjax.device.Prediction;
import mnistjax.device.RunnerFactory;
import mnistjax.device.images.ImageSpec;

/** The models of the device package; all but {@link #images} is for one worker's thread. */
final class Models {
    private static final int RUNS = 5; // the median of them is shown

    private final DevicePackage models;
    private final RunnerFactory runtime;
    private final Map<DeviceModel, Classifier> open = new LinkedHashMap<>();
    private final Map<DeviceModel, String> broken = new LinkedHashMap<>();

    /**
     * Reads what models there are; each is loaded when it is first asked.
     *
     * @throws DeviceException there is no such package
     */
    Models(FileSource files, RunnerFactory runtime) throws DeviceException {
        this.models = DevicePackage.read(files);
        this.runtime = runtime;
    }

    /** Returns what images the models take. */
    ImageSpec images() {
        return models.images();
    }

    /** Returns what each model says of an image, in the order of the package. */
    List<Answer> ask(byte[] image) {
        float[] floats = ImageSpec.floats(image);
        List<Answer> answers = new ArrayList<>();
        for (DeviceModel model : models.models()) {
            try {
                answers.add(ask(model, floats));
            } catch (DeviceException error) {
                answers.add(Answer.failed(model.name(), error.getMessage()));
            }
        }
        return answers;
    }

    private Answer ask(DeviceModel model, float[] image) throws DeviceException {
        Classifier classifier = loaded(model);
        long[] nanoseconds = new long[RUNS];
        List<Prediction> predictions = null;
        for (int i = 0; i < RUNS; i++) {
            long start = System.nanoTime();
            predictions = classifier.classify(image);
            nanoseconds[i] = System.nanoTime() - start;
        }
        Arrays.sort(nanoseconds);
        double microseconds = nanoseconds[RUNS / 2] / 1000.0;
        return Answer.of(
                model.name(), model.bytes(), model.accuracy(), predictions, microseconds);
    }

    /** A model that cannot be loaded is not tried for each image anew. */
    private Classifier loaded(DeviceModel model) throws DeviceException {
        if (broken.containsKey(model)) {
            throw new DeviceException(broken.get(model));
        }
        if (!open.containsKey(model)) {
            try {
                open.put(model, models.open(model, runtime));
            } catch (DeviceException error) {
                broken.put(model, error.getMessage());
                throw error;
            }
        }
        return open.get(model);
    }
}

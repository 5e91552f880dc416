package mnistjax.device.personal;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import mnistjax.device.DeviceException;
import mnistjax.device.Runner;
import mnistjax.device.RunnerFactory;
import mnistjax.device.TensorInfo;
import mnistjax.device.internal.Contents;

/** A personal model's signatures as functions, which refuse what would go wrong in silence. */
final class Signatures {
    private static final String BOTTLENECK = "bottleneck";
    private static final String INFER = "infer";
    private static final String TRAIN_STEP = "train_step";
    private static final String INITIAL = "initial";
    private static final String IMAGE = "image_floats";
    private static final String FEATURES = "features";
    private static final String LABELS = "labels";
    private static final String LOGITS = "logits";
    private static final String LOSS = "loss";
    private static final String PARAMS = "params_";

    private final Runner runner;
    private final Map<String, TensorInfo> values;
    private final int numClasses;

    private Signatures(Runner runner, Manifest manifest) throws DeviceException {
        this.runner = runner;
        numClasses = manifest.numClasses;
        for (String name : new String[] {BOTTLENECK, INFER, TRAIN_STEP, INITIAL}) {
            if (!runner.signatures().contains(name)) {
                throw new PersonalException("it has no signature " + name);
            }
        }
        values = new TreeMap<>(runner.outputs(INITIAL));
        checkForm(manifest);
    }

    /** Loads the file of a package, after its SHA-256 was compared. */
    static Signatures open(Manifest manifest, RunnerFactory runtime) throws PersonalException {
        byte[] content = manifest.modelContent();
        Runner runner = null;
        try {
            runner = runtime.open(Contents.direct(content));
            return new Signatures(runner, manifest);
        } catch (DeviceException error) {
            if (runner != null) {
                runner.close();
            }
            throw new PersonalException(
                    manifest.file
                            + " is no TFLite file of use: "
                            + error.getMessage()
                            + "; take the package anew",
                    error);
        }
    }

    /** Returns what parameters and state there are, by name. */
    Map<String, TensorInfo> values() {
        return values;
    }

    /** Returns what a package starts with. */
    Map<String, Object> initial() throws PersonalException {
        Map<String, Object> found = run(INITIAL, Collections.<String, Object>emptyMap());
        return finite(found, "the model begins with");
    }

    /** Returns the features of an image. */
    float[] features(float[] image) throws PersonalException {
        Map<String, Object> given = Collections.<String, Object>singletonMap(IMAGE, image);
        return (float[]) finite(run(BOTTLENECK, given), "the model gives").get(FEATURES);
    }

    /** Returns the logits of features, of free outputs, too. */
    float[] logits(float[] features, Map<String, Object> arrays) throws PersonalException {
        Map<String, Object> given = new HashMap<>();
        given.put(FEATURES, features);
        for (Map.Entry<String, Object> each : arrays.entrySet()) {
            if (each.getKey().startsWith(PARAMS)) {
                given.put(each.getKey(), each.getValue());
            }
        }
        return (float[]) finite(run(INFER, given), "the model gives").get(LOGITS);
    }

    /**
     * Takes a training step.
     *
     * @param features of B images
     * @param labels of B images, one-hot times the weight of the row
     * @param arrays parameters and state, which stay as they are
     * @return the parameters and the state after it; and the loss before it, under its name
     */
    Step trainStep(float[] features, float[] labels, Map<String, Object> arrays)
            throws PersonalException {
        checkLabels(labels);
        Map<String, Object> given = new HashMap<>(arrays);
        given.put(FEATURES, features);
        given.put(LABELS, labels);
        finite(given, "there are");
        Map<String, Object> found = finite(run(TRAIN_STEP, given), "a training step gives");
        float loss = ((float[]) found.remove(LOSS))[0];
        return new Step(found, loss);
    }

    void close() {
        runner.close();
    }

    /** Runtimes take all zeros without an error, and train on nothing. */
    private void checkLabels(float[] labels) throws PersonalException {
        for (int row = 0; row < labels.length; row += numClasses) {
            int positive = 0;
            int other = 0;
            for (int i = row; i < row + numClasses; i++) {
                positive += labels[i] > 0 ? 1 : 0;
                other += labels[i] > 0 || labels[i] == 0 ? 0 : 1;
            }
            if (positive != 1 || other != 0) {
                throw new PersonalException(
                        "labels have a row that does not name one class with a weight");
            }
        }
    }

    private Map<String, Object> run(String signature, Map<String, Object> given)
            throws PersonalException {
        try {
            return new HashMap<>(runner.run(signature, given));
        } catch (DeviceException error) {
            throw new PersonalException(
                    "the signature " + signature + " fails: " + error.getMessage(), error);
        }
    }

    private static Map<String, Object> finite(Map<String, Object> arrays, String what)
            throws PersonalException {
        for (Map.Entry<String, Object> each : arrays.entrySet()) {
            if (each.getValue() instanceof float[]) {
                for (float number : (float[]) each.getValue()) {
                    if (Float.isNaN(number) || Float.isInfinite(number)) {
                        throw new PersonalException(
                                what + " " + each.getKey() + " that are not finite");
                    }
                }
            }
        }
        return arrays;
    }

    /** Refuses tensors that are not those that the manifest describes. */
    private void checkForm(Manifest manifest) throws DeviceException {
        TensorInfo one = floats(1, manifest.features);
        TensorInfo logits = floats(1, numClasses);
        Map<String, TensorInfo> inferred = new TreeMap<>();
        for (Map.Entry<String, TensorInfo> each : values.entrySet()) {
            if (each.getKey().startsWith(PARAMS)) {
                inferred.put(each.getKey(), each.getValue());
            }
        }
        inferred.put(FEATURES, one);
        Map<String, TensorInfo> stepped = new TreeMap<>(values);
        stepped.put(FEATURES, floats(manifest.batchSize, manifest.features));
        stepped.put(LABELS, floats(manifest.batchSize, numClasses));
        Map<String, TensorInfo> given = new TreeMap<>(values);
        given.put(LOSS, floats());
        TensorInfo image = floats(1, manifest.images.size());
        check(INITIAL, runner.inputs(INITIAL), Collections.<String, TensorInfo>emptyMap());
        check(BOTTLENECK, runner.inputs(BOTTLENECK), Collections.singletonMap(IMAGE, image));
        check(BOTTLENECK, runner.outputs(BOTTLENECK), Collections.singletonMap(FEATURES, one));
        check(INFER, runner.inputs(INFER), inferred);
        check(INFER, runner.outputs(INFER), Collections.singletonMap(LOGITS, logits));
        check(TRAIN_STEP, runner.inputs(TRAIN_STEP), stepped);
        check(TRAIN_STEP, runner.outputs(TRAIN_STEP), given);
    }

    private static void check(
            String signature, Map<String, TensorInfo> found, Map<String, TensorInfo> expected)
            throws PersonalException {
        TreeSet<String> names = new TreeSet<>(found.keySet());
        names.addAll(expected.keySet());
        for (String name : names) {
            TensorInfo tensor = found.get(name);
            if (tensor == null || !tensor.equals(expected.get(name))) {
                throw new PersonalException(
                        "in the signature "
                                + signature
                                + " the tensor "
                                + name
                                + " is "
                                + (tensor == null ? "not there" : tensor)
                                + ", its package's manifest wants "
                                + (expected.containsKey(name) ? expected.get(name) : "none"));
            }
        }
    }

    private static TensorInfo floats(int... shape) {
        return new TensorInfo(TensorInfo.Type.FLOAT32, shape, 0, 0);
    }

    /** What a training step gives. */
    static final class Step {
        final Map<String, Object> arrays;
        final double loss;

        Step(Map<String, Object> arrays, double loss) {
            this.arrays = arrays;
            this.loss = loss;
        }
    }
}

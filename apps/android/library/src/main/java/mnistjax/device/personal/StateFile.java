package mnistjax.device.personal;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import mnistjax.device.TensorInfo;
import mnistjax.device.internal.Contents;
import mnistjax.device.internal.FormException;
import mnistjax.device.internal.SafeTensors;
import mnistjax.device.internal.TensorArray;
import mnistjax.device.internal.Texts;
import mnistjax.device.internal.WholeFile;

/** The file of a state, in safetensors; docs/personalization.md describes it. */
final class StateFile {
    static final String FORMAT = "personal-state";
    static final String SCHEMA_VERSION = "1";
    static final String FEATURES = "reservoir_features";
    static final String LABELS = "reservoir_labels";
    static final String SEEN = "reservoir_seen";
    static final List<String> KEYS =
            Collections.unmodifiableList(
                    Arrays.asList(
                            "format",
                            "schema_version",
                            "model",
                            "model_sha256",
                            "class_names",
                            "step"));
    private static final long LONGEST = 1L << 28; // bytes; 32 times a whole network's with Adam

    private final Manifest manifest;
    private final Map<String, TensorInfo> values;
    private final StateChecks checks;

    /**
     * Describes the states of a package.
     *
     * @param manifest of the package
     * @param values parameters and state, as `initial` gives them
     */
    StateFile(Manifest manifest, Map<String, TensorInfo> values) {
        this.manifest = manifest;
        this.values = values;
        checks = new StateChecks(manifest, values);
    }

    /** Writes a state in place of one that may be there; a crash leaves the one or the other. */
    void write(State state, File file) throws PersonalException {
        Map<String, TensorArray> arrays = new TreeMap<>();
        for (Map.Entry<String, TensorInfo> each : values.entrySet()) {
            TensorInfo tensor = each.getValue();
            Object numbers = state.values.get(each.getKey());
            TensorArray.Kind kind = StateChecks.kind(tensor);
            arrays.put(each.getKey(), new TensorArray(kind, tensor.shape(), numbers));
        }
        int count = state.samples.size();
        float[] features = new float[count * manifest.features];
        for (int row = 0; row < count; row++) {
            float[] each = state.samples.features[row];
            System.arraycopy(each, 0, features, row * manifest.features, manifest.features);
        }
        int[] shape = {count, manifest.features};
        arrays.put(FEATURES, new TensorArray(TensorArray.Kind.F32, shape, features));
        arrays.put(LABELS, ints(state.samples.labels));
        arrays.put(SEEN, ints(state.seen));
        StringBuilder names = new StringBuilder();
        for (String name : state.classNames) {
            names.append(names.length() == 0 ? "[" : ", ").append(Texts.quoted(name));
        }
        String[] texts = {
            FORMAT,
            SCHEMA_VERSION,
            manifest.model,
            manifest.sha256,
            names.append(']').toString(),
            Long.toString(state.step)
        };
        Map<String, String> metadata = new LinkedHashMap<>();
        for (int i = 0; i < KEYS.size(); i++) {
            metadata.put(KEYS.get(i), texts[i]);
        }
        try {
            WholeFile.write(file, new SafeTensors(arrays, metadata).content());
        } catch (IOException error) {
            throw new PersonalException(
                    "cannot save the state as "
                            + file
                            + ": "
                            + Contents.reason(error)
                            + "; a state that was there is untouched; check that the folder"
                            + " exists, its permissions and the free space",
                    error);
        }
    }

    /** Reads a state, and makes all checks. */
    State read(File file) throws PersonalException {
        try (InputStream stream = new FileInputStream(file)) {
            if (file.length() > LONGEST) {
                throw new FormException(
                        "has " + file.length() + " bytes, expected " + LONGEST + " at most");
            }
            return checks.checked(SafeTensors.parse(Contents.read(stream)));
        } catch (IOException error) {
            throw new PersonalException(
                    file + " cannot be read: " + Contents.reason(error), error);
        } catch (FormException error) {
            throw new PersonalException(file + " " + error.getMessage(), error);
        }
    }

    private static TensorArray ints(int[] numbers) {
        return new TensorArray(TensorArray.Kind.I32, new int[] {numbers.length}, numbers);
    }
}

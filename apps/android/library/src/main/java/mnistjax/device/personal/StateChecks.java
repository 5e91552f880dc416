package mnistjax.device.personal;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import mnistjax.device.TensorInfo;
import mnistjax.device.internal.Contents;
import mnistjax.device.internal.Fields;
import mnistjax.device.internal.FormException;
import mnistjax.device.internal.SafeTensors;
import mnistjax.device.internal.TensorArray;

/** What docs/personalization.md wants of a state before anything of it is used. */
final class StateChecks {
    private static final int MOST_DIGITS = 18; // of a number that a long holds

    private final Manifest manifest;
    private final Map<String, TensorInfo> values;

    /** Describes the states of a package, as {@link StateFile} does. */
    StateChecks(Manifest manifest, Map<String, TensorInfo> values) {
        this.manifest = manifest;
        this.values = values;
    }

    /** Returns the state that a file has. */
    State checked(SafeTensors found) throws FormException {
        Map<String, String> texts = found.texts();
        if (!StateFile.FORMAT.equals(texts.get("format"))) {
            String format = texts.get("format");
            String shown = format == null ? "not there" : "'" + format + "'";
            throw new FormException("is no personal state: its format is " + shown);
        }
        if (!StateFile.SCHEMA_VERSION.equals(texts.get("schema_version"))) {
            throw new FormException(
                    "is of schema version "
                            + texts.get("schema_version")
                            + ", expected "
                            + StateFile.SCHEMA_VERSION
                            + "; use the client that wrote it");
        }
        for (String key : StateFile.KEYS) {
            if (!texts.containsKey(key)) {
                throw new FormException("has no " + key + " in its metadata");
            }
        }
        if (!texts.get("model_sha256").equals(manifest.sha256)) {
            throw new FormException(
                    "is of the model "
                            + texts.get("model")
                            + " ("
                            + Contents.shown(texts.get("model_sha256"))
                            + "), and this is the model "
                            + manifest.model
                            + " ("
                            + Contents.shown(manifest.sha256)
                            + "); a state goes with one file alone");
        }
        List<String> names = classNames(texts.get("class_names"));
        String step = texts.get("step");
        if (!step.matches("[0-9]{1," + MOST_DIGITS + "}")) {
            throw new FormException("has '" + step + "' as its step, expected a number");
        }
        Map<String, TensorArray> arrays = new TreeMap<>(found.arrays());
        Samples samples = samples(arrays, names.size());
        int classes = manifest.numClasses;
        int[] seen = taken(arrays, StateFile.SEEN, TensorArray.Kind.I32, classes).ints();
        checkSeen(seen, samples, names.size());
        Map<String, Object> taken = new TreeMap<>();
        for (Map.Entry<String, TensorInfo> each : values.entrySet()) {
            TensorInfo tensor = each.getValue();
            TensorArray array = taken(arrays, each.getKey(), kind(tensor), tensor.shape());
            taken.put(each.getKey(), array.numbers());
        }
        for (String name : arrays.keySet()) {
            throw new FormException("has an array " + name + ", which this model has not");
        }
        return new State(names, Long.parseLong(step), taken, samples, seen);
    }

    private List<String> classNames(String text) throws FormException {
        List<String> names;
        try {
            names = Fields.parseTexts(text);
        } catch (FormException error) {
            names = Collections.singletonList("");
        }
        if (names.contains("")) {
            throw new FormException("has class_names that are no list of names in JSON");
        }
        List<String> known = manifest.labelNames;
        boolean isKnown =
                names.size() >= known.size() && names.subList(0, known.size()).equals(known);
        if (!isKnown || new HashSet<>(names).size() < names.size()
                || names.size() > manifest.numClasses) {
            throw new FormException(
                    "has the classes " + quoted(names) + ", expected " + quoted(known)
                            + " and up to " + (manifest.numClasses - known.size())
                            + " others, each once");
        }
        return Collections.unmodifiableList(names);
    }

    private Samples samples(Map<String, TensorArray> arrays, int numNames) throws FormException {
        TensorArray given = arrays.get(StateFile.LABELS);
        int count = given != null && given.shape().length == 1 ? given.shape()[0] : 0;
        int[] labels = taken(arrays, StateFile.LABELS, TensorArray.Kind.I32, count).ints();
        for (int label : labels) {
            if (label < 0 || label >= numNames) {
                throw new FormException(
                        "has labels in " + StateFile.LABELS + " that are none of its " + numNames
                                + " classes");
            }
        }
        int width = manifest.features;
        TensorArray features =
                taken(arrays, StateFile.FEATURES, TensorArray.Kind.F32, count, width);
        return new Samples(Samples.rows(features.floats(), count, width), labels);
    }

    private static void checkSeen(int[] seen, Samples samples, int numNames)
            throws FormException {
        int[] held = new int[seen.length];
        for (int label : samples.labels) {
            held[label]++;
        }
        for (int label = 0; label < seen.length; label++) {
            if (seen[label] < held[label] || (label >= numNames && seen[label] != 0)) {
                throw new FormException(
                        "says in " + StateFile.SEEN
                                + " that fewer samples were added than it holds");
            }
        }
    }

    /** Takes an array out of those that were found. */
    private static TensorArray taken(
            Map<String, TensorArray> arrays, String name, TensorArray.Kind kind, int... shape)
            throws FormException {
        TensorArray array = arrays.remove(name);
        if (array == null) {
            throw new FormException("has no array " + name);
        }
        if (!array.is(kind, shape)) {
            throw new FormException(
                    "has " + array + " as " + name + ", expected "
                            + new TensorArray(kind, shape, null));
        }
        if (!array.isFinite()) {
            throw new FormException("has numbers in " + name + " that are not finite");
        }
        return array;
    }

    /** Returns the type that safetensors has for a tensor's. */
    static TensorArray.Kind kind(TensorInfo tensor) {
        boolean isFloat = tensor.type() == TensorInfo.Type.FLOAT32;
        return isFloat ? TensorArray.Kind.F32 : TensorArray.Kind.I32;
    }

    private static String quoted(List<String> names) {
        return "['" + String.join("', '", names) + "']";
    }
}

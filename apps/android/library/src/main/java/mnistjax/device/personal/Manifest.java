package mnistjax.device.personal;

import java.util.Collections;
import java.util.List;
import mnistjax.device.FileSource;
import mnistjax.device.images.ImageSpec;
import mnistjax.device.internal.Contents;
import mnistjax.device.internal.Fields;
import mnistjax.device.internal.FormException;
import mnistjax.device.internal.Forms;
import mnistjax.device.internal.SafeTensors;
import mnistjax.device.internal.TensorArray;
import mnistjax.device.internal.Texts;

/** {@code personal.json}: what a package says of itself, and its other files. */
final class Manifest {
    static final String FILE = "personal.json";
    private static final int SCHEMA_VERSION = 1;

    final String model;
    final ImageSpec images;
    final List<String> labelNames;
    final int numClasses;
    final int batchSize;
    final int features;
    final String file;
    final String sha256;
    private final FileSource files;
    private final Fields replay;

    private Manifest(FileSource files, Fields fields) throws FormException {
        if (fields.wholeNumber("schema_version", 0) != SCHEMA_VERSION) {
            throw new FormException(
                    "is of schema version "
                            + fields.wholeNumber("schema_version", 0)
                            + ", expected "
                            + SCHEMA_VERSION);
        }
        this.files = files;
        model = fields.text("model");
        images = Forms.imageSpec(fields.object("task"));
        labelNames = Collections.unmodifiableList(Forms.labels(fields, "label_names"));
        if (!labelNames.equals(fields.object("task").texts("label_names"))) {
            throw new FormException("has label_names that are not those of the task");
        }
        numClasses = fields.wholeNumber("num_classes", labelNames.size());
        batchSize = fields.wholeNumber("batch_size", 1);
        features = fields.wholeNumber("features", 1);
        file = Forms.fileName(fields, "file");
        sha256 = fields.text("sha256");
        replay = fields.has("replay") ? fields.object("replay") : null;
        if (replay != null) {
            Forms.fileName(replay, "file");
        }
    }

    /** Reads the manifest of a package. */
    static Manifest read(FileSource files) throws PersonalException {
        try {
            byte[] content = Contents.read(files, FILE);
            return new Manifest(files, Fields.parse(Texts.decoded(content)));
        } catch (FormException error) {
            throw wrong(FILE, error);
        }
    }

    /** Reads the TFLite file, and compares its SHA-256. */
    byte[] modelContent() throws PersonalException {
        try {
            return Contents.read(files, file, sha256);
        } catch (FormException error) {
            throw wrong(file, error);
        }
    }

    /** Reads the features of training images; null where the package has none. */
    Samples replay() throws PersonalException {
        if (replay == null) {
            return null;
        }
        String name = FILE;
        try {
            int count = replay.wholeNumber("images", 1);
            String digest = replay.text("sha256");
            name = replay.text("file");
            return samples(SafeTensors.parse(Contents.read(files, name, digest)), count);
        } catch (FormException error) {
            throw wrong(name, error);
        }
    }

    private Samples samples(SafeTensors found, int count) throws FormException {
        TensorArray rows = found.arrays().get("features");
        TensorArray labels = found.arrays().get("labels");
        boolean isForm = found.arrays().size() == 2 && rows != null && labels != null;
        if (!isForm
                || !rows.is(TensorArray.Kind.F16, count, features)
                || !labels.is(TensorArray.Kind.I32, count)) {
            throw new FormException(
                    "has the arrays "
                            + found.arrays()
                            + ", expected features float16["
                            + count
                            + ", "
                            + features
                            + "] and labels int32["
                            + count
                            + "]");
        }
        for (int label : labels.ints()) {
            if (label < 0 || label >= labelNames.size()) {
                throw new FormException(
                        "has the label " + label + ", expected 0 to " + (labelNames.size() - 1));
            }
        }
        if (!rows.isFinite()) {
            throw new FormException("has features that are not finite");
        }
        return new Samples(Samples.rows(rows.floats(), count, features), labels.ints());
    }

    private static PersonalException wrong(String name, FormException error) {
        return new PersonalException(
                name + " " + error.getMessage() + "; take the package anew", error);
    }
}

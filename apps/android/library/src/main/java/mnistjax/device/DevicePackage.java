package mnistjax.device;

import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import mnistjax.device.images.ImageSpec;
import mnistjax.device.internal.Contents;
import mnistjax.device.internal.Fields;
import mnistjax.device.internal.FormException;
import mnistjax.device.internal.Forms;
import mnistjax.device.internal.Texts;

/** A package {@code device/<version>/}: models of the same images, with what it says of them. */
public final class DevicePackage {
    /** What a package's manifest is called. */
    public static final String MANIFEST_FILE = "model.json";

    private final FileSource files;
    private final String task;
    private final String network;
    private final ImageSpec images;
    private final String inputName;
    private final String outputName;
    private final List<String> labels;
    private final List<DeviceModel> models;

    private DevicePackage(FileSource files, Fields manifest) throws FormException {
        this.files = files;
        task = manifest.text("task");
        network = manifest.text("model");
        images = Forms.imageSpec(manifest.object("input"));
        inputName = manifest.object("input").text("name");
        outputName = manifest.object("output").text("name");
        labels = Collections.unmodifiableList(Forms.labels(manifest, "labels"));
        List<DeviceModel> found = new ArrayList<>();
        for (Fields model : manifest.objects("models")) {
            Fields metrics = model.object("metrics");
            found.add(
                    new DeviceModel(
                            model.text("name"),
                            Forms.fileName(model, "file"),
                            model.text("sha256"),
                            model.text("summary"),
                            model.has("bytes") ? (long) model.number("bytes") : -1,
                            metrics.has("accuracy") ? metrics.number("accuracy") : Double.NaN));
        }
        models = Collections.unmodifiableList(found);
    }

    /**
     * Reads {@code model.json}; no model is loaded.
     *
     * @param files of the package
     * @return the package
     * @throws DeviceException the file is not there, or not of the form that it has to have
     */
    public static DevicePackage read(FileSource files) throws DeviceException {
        try {
            byte[] content = Contents.read(files, MANIFEST_FILE);
            return new DevicePackage(files, Fields.parse(Texts.decoded(content)));
        } catch (FormException error) {
            throw new DeviceException(
                    MANIFEST_FILE + " " + error.getMessage() + "; take the package anew", error);
        }
    }

    /**
     * Reads the same from a folder.
     *
     * @param folder of the package
     * @return the package
     * @throws DeviceException the file is not there, or not of the form that it has to have
     */
    public static DevicePackage read(File folder) throws DeviceException {
        return read(FileSource.folder(folder));
    }

    /**
     * Says what the images are of.
     *
     * @return the name of the data set
     */
    public String task() {
        return task;
    }

    /**
     * Says which network it was.
     *
     * @return its name
     */
    public String network() {
        return network;
    }

    /**
     * Says what images the models take.
     *
     * @return their shape, and how drawings become such
     */
    public ImageSpec images() {
        return images;
    }

    /**
     * Says what the models tell apart.
     *
     * @return the names of the classes, in the order of the outputs
     */
    public List<String> labels() {
        return labels;
    }

    /**
     * Says what models there are.
     *
     * @return them, in the order of the file
     */
    public List<DeviceModel> models() {
        return models;
    }

    /**
     * Loads a model, after its SHA-256 was compared.
     *
     * @param model one of {@link #models()}
     * @param runtime that runs it
     * @return the model
     * @throws DeviceException the file is not there, damaged, or not as {@code model.json} says
     */
    public Classifier open(DeviceModel model, RunnerFactory runtime) throws DeviceException {
        byte[] content;
        try {
            content = Contents.read(files, model.file, model.sha256);
        } catch (FormException error) {
            throw new DeviceException(
                    model.file + " " + error.getMessage() + "; take the package anew", error);
        }
        Runner runner = null;
        try {
            runner = runtime.open(Contents.direct(content));
            return new Classifier(runner, inputName, outputName, images.size(), labels);
        } catch (DeviceException error) {
            if (runner != null) {
                runner.close();
            }
            throw new DeviceException(model.file + ": " + error.getMessage(), error);
        }
    }
}

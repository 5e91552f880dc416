package mnistjax.device;

import java.util.List;
import mnistjax.device.images.ImageSpec;

/** A package {@code device/<version>/}: models of the same images, with what they say of them. */
public final class DevicePackage {
    private DevicePackage() {}

    /**
     * Reads {@code model.json}; no model is loaded.
     *
     * @param files of the package
     * @return the package
     * @throws DeviceException the file is not there, or not of the form that it has to have
     */
    public static DevicePackage read(FileSource files) throws DeviceException {
        throw new DeviceException("not there yet");
    }

    /**
     * Says what the images are of.
     *
     * @return the name of the data set
     */
    public String task() {
        return "";
    }

    /**
     * Says which network it was.
     *
     * @return its name
     */
    public String network() {
        return "";
    }

    /**
     * Says what images the models take.
     *
     * @return their shape, and how drawings become such
     */
    public ImageSpec images() {
        return null;
    }

    /**
     * Says what the models tell apart.
     *
     * @return the names of the classes, in the order of the outputs
     */
    public List<String> labels() {
        return null;
    }

    /**
     * Says what models there are.
     *
     * @return them, in the order of the file
     */
    public List<DeviceModel> models() {
        return null;
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
        throw new DeviceException("not there yet");
    }
}

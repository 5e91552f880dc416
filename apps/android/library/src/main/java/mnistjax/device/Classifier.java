package mnistjax.device;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import mnistjax.device.images.ImageSpec;
import mnistjax.device.internal.Probabilities;

/**
 * A device model that is loaded: images in, probabilities out.
 *
 * <p>Any thread may call it; one waits for the other. Where the model takes or gives integers, they
 * are made of real values and turned back by the tensor's own scale.
 */
public final class Classifier implements Closeable {
    private static final String SIGNATURE = "serving_default";

    private final Runner runner;
    private final String inputName;
    private final String outputName;
    private final TensorInfo input;
    private final TensorInfo output;
    private final List<String> labels;
    private boolean isClosed;

    /**
     * Takes a model.
     *
     * @param runner of the model; it is closed with this
     * @param inputName of the tensor that an image goes into
     * @param outputName of the tensor with the logits
     * @param size numbers of an image
     * @param labels of the logits
     * @throws DeviceException the model's tensors are others; the runner stays open
     */
    Classifier(Runner runner, String inputName, String outputName, int size, List<String> labels)
            throws DeviceException {
        this.runner = runner;
        this.inputName = inputName;
        this.outputName = outputName;
        this.labels = Collections.unmodifiableList(new ArrayList<>(labels));
        if (!runner.signatures().contains(SIGNATURE)) {
            throw new DeviceException("the model has no signature " + SIGNATURE);
        }
        input = only(runner.inputs(SIGNATURE), inputName, size);
        output = only(runner.outputs(SIGNATURE), outputName, labels.size());
    }

    /**
     * Says what it tells apart.
     *
     * @return the names of the classes, in the order of the outputs
     */
    public List<String> labels() {
        return labels;
    }

    /**
     * Says what an image is.
     *
     * @param image numbers from 0 to 1, row by row, as the package's images are
     * @return for each label its probability, in the order of the outputs
     * @throws DeviceException it is no such image, or the model fails
     */
    public List<Prediction> classify(float[] image) throws DeviceException {
        return Probabilities.of(labels, logits(image));
    }

    /**
     * Says what an image is.
     *
     * @param image levels from 0 to 255, as {@code ImageSpec.image} gives them
     * @return for each label its probability, in the order of the outputs
     * @throws DeviceException it is no such image, or the model fails
     */
    public List<Prediction> classify(byte[] image) throws DeviceException {
        return classify(ImageSpec.floats(image));
    }

    /**
     * Runs the model.
     *
     * @param image numbers from 0 to 1, row by row
     * @return the logit of each label, dequantized where the model gives integers
     * @throws DeviceException it is no such image, or the model fails or gives no finite numbers
     */
    public synchronized float[] logits(float[] image) throws DeviceException {
        if (isClosed) {
            throw new DeviceException("the model is closed; open it anew");
        }
        ImageSpec.check(image, input.size());
        Object array = Quantization.quantized(image, input);
        Map<String, Object> given = Collections.singletonMap(inputName, array);
        Object found = runner.run(SIGNATURE, given).get(outputName);
        float[] logits = Quantization.dequantized(found, output);
        for (float logit : logits) {
            if (Float.isNaN(logit) || Float.isInfinite(logit)) {
                throw new DeviceException("the model gives logits that are not finite");
            }
        }
        return logits;
    }

    /** Frees the model. */
    @Override
    public synchronized void close() {
        isClosed = true;
        runner.close();
    }

    private static TensorInfo only(Map<String, TensorInfo> tensors, String name, int size)
            throws DeviceException {
        TensorInfo tensor = tensors.get(name);
        boolean isReal = tensor != null && tensor.type() == TensorInfo.Type.FLOAT32;
        boolean isQuantized =
                tensor != null && tensor.type() != TensorInfo.Type.INT32 && tensor.scale() > 0;
        if (tensors.size() != 1 || !(isReal || isQuantized) || tensor.size() != size) {
            throw new DeviceException(
                    "the model has the tensors "
                            + tensors
                            + ", expected "
                            + name
                            + " alone, with "
                            + size
                            + " floats or 8-bit integers");
        }
        return tensor;
    }
}

package mnistjax.device;

import java.io.Closeable;
import java.util.List;

/**
 * A device model that is loaded: images in, probabilities out.
 *
 * <p>Any thread may call it; one waits for the other.
 */
public final class Classifier implements Closeable {
    private Classifier() {}

    /**
     * Says what an image is.
     *
     * @param image numbers from 0 to 1, row by row, as the package's images are
     * @return for each label its probability, in the order of the outputs
     * @throws DeviceException it is no such image, or the model fails
     */
    public List<Prediction> classify(float[] image) throws DeviceException {
        throw new DeviceException("not there yet");
    }

    /**
     * Says what an image is.
     *
     * @param image levels from 0 to 255, as {@code ImageSpec.image} gives them
     * @return for each label its probability, in the order of the outputs
     * @throws DeviceException it is no such image, or the model fails
     */
    public List<Prediction> classify(byte[] image) throws DeviceException {
        throw new DeviceException("not there yet");
    }

    /**
     * Runs the model.
     *
     * @param image numbers from 0 to 1, row by row
     * @return the logit of each label, dequantized where the model gives integers
     * @throws DeviceException it is no such image, or the model fails
     */
    public float[] logits(float[] image) throws DeviceException {
        throw new DeviceException("not there yet");
    }

    /** Frees the model. */
    @Override
    public void close() {}
}

package mnistjax.device;

import java.io.Closeable;
import java.util.Map;
import java.util.Set;

/**
 * A TFLite model that is loaded, as a function for each of its signatures.
 *
 * <p>It is for one thread at a time; {@link Classifier} and {@code TransferLearningModel} see to
 * that for their own. Shapes are those of the file: nothing is resized. Arrays are flat and
 * row-major: {@code float[]} for {@link TensorInfo.Type#FLOAT32}, {@code int[]} for {@code INT32},
 * {@code byte[]} for {@code INT8} and {@code UINT8}, each with {@link TensorInfo#size()} numbers.
 */
public interface Runner extends Closeable {
    /**
     * Says what can be run.
     *
     * @return the names of the signatures
     */
    Set<String> signatures();

    /**
     * Says what a signature takes.
     *
     * @param signature one of {@link #signatures()}
     * @return its inputs by name
     * @throws DeviceException there is no such signature
     */
    Map<String, TensorInfo> inputs(String signature) throws DeviceException;

    /**
     * Says what a signature gives.
     *
     * @param signature one of {@link #signatures()}
     * @return its outputs by name
     * @throws DeviceException there is no such signature
     */
    Map<String, TensorInfo> outputs(String signature) throws DeviceException;

    /**
     * Runs a signature once.
     *
     * @param signature one of {@link #signatures()}
     * @param inputs an array for each input, by name; they are not changed
     * @return an array for each output, by name, which belong to the caller
     * @throws DeviceException the inputs are not those of the signature, or it fails
     */
    Map<String, Object> run(String signature, Map<String, Object> inputs) throws DeviceException;

    /** Frees the model; nothing else may be called after it, but for this. */
    @Override
    void close();
}

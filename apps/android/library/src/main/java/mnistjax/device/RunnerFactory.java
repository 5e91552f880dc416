package mnistjax.device;

import java.nio.ByteBuffer;

/** The runtime: it loads models. */
public interface RunnerFactory {
    /**
     * Loads a model, to be run by one thread.
     *
     * @param model the content of a {@code .tflite} file, from position 0 to the limit: a direct
     *     buffer in native order, which stays as it is for as long as the runner is open
     * @return the model
     * @throws DeviceException this is no model that the runtime can run
     */
    Runner open(ByteBuffer model) throws DeviceException;
}

package mnistjax.device;

/** A file, an image or a model that cannot be used; the message is one sentence that says why. */
public class DeviceException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one with its sentence.
     *
     * @param message what is wrong, what was expected, and what to do
     */
    public DeviceException(String message) {
        super(message);
    }

    /**
     * Makes one that another exception led to.
     *
     * @param message what is wrong, what was expected, and what to do
     * @param cause what led to it
     */
    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}

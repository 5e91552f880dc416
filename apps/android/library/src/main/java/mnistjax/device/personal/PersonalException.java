package mnistjax.device.personal;

import mnistjax.device.DeviceException;

/** A package, a state, an image or a name that cannot be used; one sentence says why. */
public final class PersonalException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one with its sentence.
     *
     * @param message what is wrong, what was expected, and what to do
     */
    public PersonalException(String message) {
        super(message);
    }

    /**
     * Makes one that another exception led to.
     *
     * @param message what is wrong, what was expected, and what to do
     * @param cause what led to it
     */
    public PersonalException(String message, Throwable cause) {
        super(message, cause);
    }
}

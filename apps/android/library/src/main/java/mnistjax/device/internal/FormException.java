package mnistjax.device.internal;

/** Content that has not the form it should have; the message follows the name of what it is in. */
public final class FormException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what is wrong
     */
    public FormException(String message) {
        super(message);
    }
}

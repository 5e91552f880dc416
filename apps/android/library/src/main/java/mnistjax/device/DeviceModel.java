package mnistjax.device;

/** What {@code model.json} says of one of its models. */
public final class DeviceModel {
    final String file;
    final String sha256;
    private final String name;
    private final String summary;
    private final long bytes;
    private final double accuracy;

    DeviceModel(
            String name, String file, String sha256, String summary, long bytes, double accuracy) {
        this.name = name;
        this.file = file;
        this.sha256 = sha256;
        this.summary = summary;
        this.bytes = bytes;
        this.accuracy = accuracy;
    }

    /**
     * Says what it is called.
     *
     * @return the name, such as int8
     */
    public String name() {
        return name;
    }

    /**
     * Says what it is.
     *
     * @return a text for people
     */
    public String summary() {
        return summary;
    }

    /**
     * Says how large its file is.
     *
     * @return bytes
     */
    public long bytes() {
        return bytes;
    }

    /**
     * Says how good it was on the test images.
     *
     * @return the share of them that it gets right, in [0, 1]; NaN where it was not measured
     */
    public double accuracy() {
        return accuracy;
    }
}

package mnistjax.device.personal;

/** What a training step takes. */
final class Batch {
    /** Rows of features, one after the other. */
    final float[] features;

    /** Rows of labels, one-hot times the weight of the row. */
    final float[] labels;

    /** How many of the user's samples there are, each once. */
    final int size;

    Batch(float[] features, float[] labels, int size) {
        this.features = features;
        this.labels = labels;
        this.size = size;
    }
}

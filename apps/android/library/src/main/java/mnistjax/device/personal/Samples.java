package mnistjax.device.personal;

import java.util.Arrays;

/** Images as the head sees them: features and the number of the output of each. */
final class Samples {
    final float[][] features;
    final int[] labels;

    Samples(float[][] features, int[] labels) {
        this.features = features;
        this.labels = labels;
    }

    int size() {
        return labels.length;
    }

    /** Returns an array as rows. */
    static float[][] rows(float[] numbers, int count, int width) {
        float[][] rows = new float[count][];
        for (int row = 0; row < count; row++) {
            rows[row] = Arrays.copyOfRange(numbers, row * width, (row + 1) * width);
        }
        return rows;
    }
}

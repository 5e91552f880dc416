package mnistjax.device.images;

/**
 * Images of another size, as Pillow's {@code resize} with {@code Resampling.BILINEAR} makes them.
 *
 * <p>It computes what Pillow's Resample.c does for 8 bits, to the last: a triangle as wide as a new
 * pixel, weights in 22 bits behind the point, first along rows and then along columns.
 */
final class Resizing {
    private static final int BITS = 22;

    private Resizing() {}

    /**
     * Returns an image of another size.
     *
     * @param levels height * width * channels, row by row
     * @param height of the image
     * @param width of the image
     * @param channels of the image
     * @param toHeight of the new one
     * @param toWidth of the new one
     */
    static byte[] resized(
            byte[] levels, int height, int width, int channels, int toHeight, int toWidth) {
        byte[] wide = levels;
        if (toWidth != width) {
            wide = new byte[height * toWidth * channels];
            along(levels, wide, new Weights(width, toWidth), height, width, toWidth, channels);
        }
        if (toHeight == height) {
            return wide.clone();
        }
        byte[] resized = new byte[toHeight * toWidth * channels];
        Weights weights = new Weights(height, toHeight);
        along(wide, resized, weights, 1, height, toHeight, toWidth * channels);
        return resized;
    }

    /** Resizes the middle one of three axes: outer, from or to, inner. */
    private static void along(
            byte[] from, byte[] to, Weights weights, int outer, int old, int now, int inner) {
        for (int block = 0; block < outer; block++) {
            for (int place = 0; place < now; place++) {
                int[] values = weights.values[place];
                for (int i = 0; i < inner; i++) {
                    int sum = 1 << (BITS - 1);
                    int source = (block * old + weights.starts[place]) * inner + i;
                    for (int value : values) {
                        sum += (from[source] & 255) * value;
                        source += inner;
                    }
                    int level = Math.min(Math.max(sum >> BITS, 0), 255);
                    to[(block * now + place) * inner + i] = (byte) level;
                }
            }
        }
    }

    /** Which old pixels a new one is made of, and of how much of each. */
    private static final class Weights {
        final int[] starts;
        final int[][] values;

        Weights(int old, int now) {
            starts = new int[now];
            values = new int[now][];
            double scale = (double) old / now;
            double support = Math.max(scale, 1);
            for (int place = 0; place < now; place++) {
                double centre = (place + 0.5) * scale;
                int start = Math.max((int) (centre - support + 0.5), 0);
                int stop = Math.min((int) (centre + support + 0.5), old);
                double[] shares = new double[stop - start];
                double all = 0;
                for (int i = 0; i < shares.length; i++) {
                    double distance = Math.abs((i + start - centre + 0.5) * (1 / support));
                    shares[i] = Math.max(1 - distance, 0);
                    all += shares[i];
                }
                starts[place] = start;
                values[place] = new int[shares.length];
                for (int i = 0; i < shares.length; i++) {
                    values[place][i] = (int) (0.5 + shares[i] / all * (1 << BITS));
                }
            }
        }
    }
}

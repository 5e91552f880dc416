package mnistjax.device.images;

import mnistjax.device.DeviceException;

/**
 * How a drawing or a photo of one figure becomes an image of a task.
 *
 * <p>It follows the steps of {@code data/drawing.py}, which is the specification, by their numbers.
 */
final class Drawing {
    private static final int LEAST_CONTRAST = 32;
    private static final int INK = 64;

    private Drawing() {}

    /**
     * Returns a drawing as an image of a task: steps 2 to 9.
     *
     * @param grey levels, row by row; they are changed
     * @param width pixels of a row
     * @param spec how the task's images were made
     * @param toHeight of the task's images
     * @param toWidth of the task's images
     * @return toHeight * toWidth levels, the figure light on black
     * @throws DeviceException there is no figure
     */
    static byte[] image(byte[] grey, int width, DrawingSpec spec, int toHeight, int toWidth)
            throws DeviceException {
        int height = grey.length / width;
        int background = background(grey, height, width);
        long sum = 0;
        int high = 0;
        int least = 255;
        for (byte each : grey) {
            int level = each & 255;
            sum += level;
            high = Math.max(high, level);
            least = Math.min(least, level);
        }
        boolean isDarkOnLight = (long) background * grey.length > sum;
        if (isDarkOnLight) {
            for (int i = 0; i < grey.length; i++) {
                grey[i] = (byte) (255 - (grey[i] & 255));
            }
            background = 255 - background;
            high = 255 - least;
        }
        int[] stretched = stretched(background, high);
        if (height == toHeight && width == toWidth && !isDarkOnLight) {
            return grey.clone();
        }
        long[][] figure = cut(grey, width, stretched);
        double share = spec.share();
        double scale =
                Math.min(share * toHeight / figure.length, share * toWidth / figure[0].length);
        int rows = Math.max(1, (int) Math.floor(figure.length * scale + 0.5));
        int columns = Math.max(1, (int) Math.floor(figure[0].length * scale + 0.5));
        long[][] sideways = sums(transposed(sums(figure, rows)), columns);
        long[][] sums = transposed(sideways);
        int top = start(sums, toHeight, spec.byMass());
        int left = start(sideways, toWidth, spec.byMass());
        long area = (long) figure.length * figure[0].length;
        byte[] field = new byte[toHeight * toWidth];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                long level = (2 * sums[row][column] + area) / (2 * area);
                field[(top + row) * toWidth + left + column] = (byte) level;
            }
        }
        return field;
    }

    /** Step 2: the lower median of the outermost rows and columns. */
    private static int background(byte[] grey, int height, int width) {
        int[] counts = new int[256];
        int all = 0;
        for (int row = 0; row < height; row++) {
            boolean isWhole = row == 0 || row == height - 1;
            int step = isWhole || width == 1 ? 1 : width - 1;
            for (int column = 0; column < width; column += step) {
                counts[grey[row * width + column] & 255]++;
                all++;
            }
        }
        int level = 0;
        for (int below = counts[0]; below <= (all - 1) / 2; below += counts[level]) {
            level++;
        }
        return level;
    }

    /** Step 5: what each level becomes. */
    private static int[] stretched(int background, int high) throws DeviceException {
        if (high - background < LEAST_CONTRAST) {
            throw new DeviceException(
                    "the image shows no figure, expected one that is darker or lighter than the"
                            + " image's border; draw it with more contrast, or away from the"
                            + " border");
        }
        int[] table = new int[256];
        for (int level = 0; level < 256; level++) {
            int above = Math.max(level - background, 0);
            table[level] = Math.min(above * 255 / (high - background), 255);
        }
        return table;
    }

    /** Step 6: the stretched levels of the smallest box with every level of ink. */
    private static long[][] cut(byte[] grey, int width, int[] stretched) {
        int top = Integer.MAX_VALUE;
        int bottom = 0;
        int left = width;
        int right = 0;
        for (int i = 0; i < grey.length; i++) {
            if (stretched[grey[i] & 255] >= INK) {
                top = Math.min(top, i / width);
                bottom = i / width;
                left = Math.min(left, i % width);
                right = Math.max(right, i % width);
            }
        }
        long[][] figure = new long[bottom - top + 1][right - left + 1];
        for (int row = 0; row < figure.length; row++) {
            for (int column = 0; column < figure[0].length; column++) {
                figure[row][column] = stretched[grey[(top + row) * width + left + column] & 255];
            }
        }
        return figure;
    }

    /** Step 7: as many rows, each the sum of the rows that it covers, times `length`. */
    private static long[][] sums(long[][] values, int length) {
        long[][] sums = new long[length][values[0].length];
        for (int row = 0; row < length; row++) {
            long start = (long) row * values.length;
            long stop = start + values.length;
            for (int old = (int) (start / length); (long) old * length < stop; old++) {
                long end = Math.min((old + 1L) * length, stop);
                long weight = end - Math.max((long) old * length, start);
                for (int column = 0; column < values[0].length; column++) {
                    sums[row][column] += weight * values[old][column];
                }
            }
        }
        return sums;
    }

    /** Step 8: where the figure's rows begin in the field. */
    private static int start(long[][] figure, int side, boolean byMass) {
        int start = (side - figure.length) / 2;
        if (byMass) {
            long moment = 0;
            long mass = 0;
            for (int row = 0; row < figure.length; row++) {
                for (long level : figure[row]) {
                    moment += (2 * row + 1) * level;
                    mass += level;
                }
            }
            start = side / 2 - (int) (moment / (2 * mass));
        }
        return Math.min(Math.max(start, 0), side - figure.length);
    }

    private static long[][] transposed(long[][] values) {
        long[][] turned = new long[values[0].length][values.length];
        for (int row = 0; row < values.length; row++) {
            for (int column = 0; column < values[0].length; column++) {
                turned[column][row] = values[row][column];
            }
        }
        return turned;
    }
}

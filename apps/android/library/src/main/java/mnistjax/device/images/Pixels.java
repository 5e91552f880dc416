package mnistjax.device.images;

/** Pixels of 8 bits for alpha, red, green and blue, as levels. */
final class Pixels {
    private static final int RED = 19595; // ITU-R BT.601, in parts of 65536
    private static final int GREEN = 38470;
    private static final int BLUE = 7471;

    private Pixels() {}

    /** Returns grey levels of pixels on white: step 1 of {@code data/drawing.py}. */
    static byte[] greyOnWhite(int[] argb) {
        byte[] grey = new byte[argb.length];
        for (int i = 0; i < argb.length; i++) {
            int alpha = argb[i] >>> 24;
            grey[i] =
                    (byte)
                            luma(
                                    onWhite(argb[i] >> 16 & 255, alpha),
                                    onWhite(argb[i] >> 8 & 255, alpha),
                                    onWhite(argb[i] & 255, alpha));
        }
        return grey;
    }

    /**
     * Returns levels of pixels on black, as Pillow's alpha_composite and convert make them.
     *
     * @param argb pixels
     * @param channels 1 for grey, 3 for red, green and blue of each pixel
     */
    static byte[] onBlack(int[] argb, int channels) {
        byte[] levels = new byte[argb.length * channels];
        for (int i = 0; i < argb.length; i++) {
            int alpha = argb[i] >>> 24;
            int red = onBlack(argb[i] >> 16 & 255, alpha);
            int green = onBlack(argb[i] >> 8 & 255, alpha);
            int blue = onBlack(argb[i] & 255, alpha);
            if (channels == 1) {
                levels[i] = (byte) luma(red, green, blue);
            } else {
                levels[3 * i] = (byte) red;
                levels[3 * i + 1] = (byte) green;
                levels[3 * i + 2] = (byte) blue;
            }
        }
        return levels;
    }

    private static int luma(int red, int green, int blue) {
        return (RED * red + GREEN * green + BLUE * blue + 32768) >> 16;
    }

    private static int onWhite(int colour, int alpha) {
        return (colour * alpha + 255 * (255 - alpha) + 127) / 255;
    }

    /** As Pillow's AlphaComposite.c computes it, in its 7 bits behind the point. */
    private static int onBlack(int colour, int alpha) {
        int sum = colour * (alpha * 128) + (128 << 7);
        return (((sum >> 8) + sum) >> 8) >> 7;
    }
}

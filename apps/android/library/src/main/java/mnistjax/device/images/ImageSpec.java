package mnistjax.device.images;

import mnistjax.device.DeviceException;

/** What images the models of a package take, and how drawings and photos become such. */
public final class ImageSpec {
    private final int height;
    private final int width;
    private final int channels;
    private final DrawingSpec drawing;

    /**
     * Makes one.
     *
     * @param height in pixels
     * @param width in pixels
     * @param channels 1 for grey, 3 for red, green and blue
     * @param drawing how figures become images, or null where images are only resized
     */
    public ImageSpec(int height, int width, int channels, DrawingSpec drawing) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.drawing = drawing;
    }

    /**
     * Says how high images are.
     *
     * @return pixels
     */
    public int height() {
        return height;
    }

    /**
     * Says how wide images are.
     *
     * @return pixels
     */
    public int width() {
        return width;
    }

    /**
     * Says how many numbers a pixel has.
     *
     * @return 1 for grey, 3 for red, green and blue
     */
    public int channels() {
        return channels;
    }

    /**
     * Says whether images are made of drawings.
     *
     * @return false where they are only resized
     */
    public boolean isDrawn() {
        return drawing != null;
    }

    /**
     * Says how many numbers an image has.
     *
     * @return height * width * channels
     */
    public int size() {
        return height * width * channels;
    }

    /**
     * Makes an image of a drawing or a photo, as {@code make predict} does of a file.
     *
     * @param argb of each pixel alpha, red, green and blue, 8 bits each and not premultiplied, row
     *     by row, as Android's {@code Bitmap.getPixels} gives them
     * @param argbWidth pixels of a row
     * @return {@link #size()} levels from 0 to 255 (128 and more as negative bytes), row by row
     * @throws DeviceException there is no figure, or the array has no whole rows
     */
    public byte[] image(int[] argb, int argbWidth) throws DeviceException {
        if (argb.length == 0 || argbWidth < 1 || argb.length % argbWidth != 0) {
            throw new DeviceException(
                    "the image has "
                            + argb.length
                            + " pixels, expected whole rows of "
                            + argbWidth
                            + ", one at least");
        }
        if (drawing != null) {
            return Drawing.image(Pixels.greyOnWhite(argb), argbWidth, drawing, height, width);
        }
        byte[] levels = Pixels.onBlack(argb, channels);
        int rows = argb.length / argbWidth;
        return Resizing.resized(levels, rows, argbWidth, channels, height, width);
    }

    /**
     * Makes of levels what a model takes.
     *
     * @param image levels from 0 to 255
     * @return numbers from 0 to 1, each its level / 255
     */
    public static float[] floats(byte[] image) {
        float[] floats = new float[image.length];
        for (int i = 0; i < image.length; i++) {
            floats[i] = (image[i] & 255) / 255f;
        }
        return floats;
    }

    /**
     * Refuses what is no image.
     *
     * @param image numbers, row by row
     * @param size how many there have to be
     * @throws DeviceException there are more or less, or some that are not from 0 to 1
     */
    public static void check(float[] image, int size) throws DeviceException {
        if (image.length != size) {
            throw new DeviceException(
                    "the image has " + image.length + " numbers, expected " + size);
        }
        for (float each : image) {
            if (!(each >= 0 && each <= 1)) {
                throw new DeviceException(
                        "the image has the number " + each + ", expected 0 to 1 without NaN");
            }
        }
    }
}

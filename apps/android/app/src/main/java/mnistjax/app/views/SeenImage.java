package mnistjax.app.views;

import android.content.res.Resources;
import android.graphics.Bitmap;
import android.graphics.Color;
import android.graphics.drawable.BitmapDrawable;
import android.graphics.drawable.Drawable;
import mnistjax.device.images.ImageSpec;

/** The image that models get, to be looked at. */
public final class SeenImage {
    private SeenImage() {}

    /**
     * Makes a bitmap of an image.
     *
     * @param image levels as {@link ImageSpec#image} gives them
     * @param spec their shape
     * @return a pixel for each of the image's
     */
    public static Bitmap bitmap(byte[] image, ImageSpec spec) {
        int[] pixels = new int[spec.height() * spec.width()];
        int channels = spec.channels();
        for (int i = 0; i < pixels.length; i++) {
            int red = image[i * channels] & 255;
            int green = image[i * channels + (channels == 1 ? 0 : 1)] & 255;
            int blue = image[i * channels + (channels == 1 ? 0 : 2)] & 255;
            pixels[i] = Color.rgb(red, green, blue);
        }
        return Bitmap.createBitmap(pixels, spec.width(), spec.height(), Bitmap.Config.ARGB_8888);
    }

    /** Returns a bitmap as something that shows its pixels, however much it is enlarged. */
    public static Drawable enlarged(Resources resources, Bitmap bitmap) {
        BitmapDrawable drawable = new BitmapDrawable(resources, bitmap);
        drawable.setFilterBitmap(false);
        return drawable;
    }
}

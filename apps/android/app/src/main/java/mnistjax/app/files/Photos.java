package mnistjax.app.files;

import android.content.ContentResolver;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Matrix;
import android.media.ExifInterface;
import android.net.Uri;
import java.io.IOException;
import java.io.InputStream;

/** Pictures of the camera's app or of the user's choice, as pixels. */
public final class Photos {
    /** Of the longer side, at most: a model sees much less. */
    private static final int MOST = 1024;

    private Photos() {}

    /**
     * Reads a picture; of a huge one only each second, fourth, ... row and column is decoded.
     *
     * @param resolver that has it
     * @param uri of the picture
     * @return it, upright, its sides at most twice {@link #MOST}
     * @throws IOException it cannot be read, or is no picture
     */
    public static Bitmap read(ContentResolver resolver, Uri uri) throws IOException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inJustDecodeBounds = true;
        decode(resolver, uri, options);
        if (options.outWidth <= 0 || options.outHeight <= 0) {
            throw new IOException("no picture: " + uri);
        }
        options.inJustDecodeBounds = false;
        options.inSampleSize = sampleSize(options.outWidth, options.outHeight);
        Bitmap bitmap = decode(resolver, uri, options);
        if (bitmap == null) {
            throw new IOException("no picture: " + uri);
        }
        return upright(bitmap, orientation(resolver, uri));
    }

    /** Returns the pixels of a bitmap: alpha, red, green and blue of each, row by row. */
    public static int[] pixels(Bitmap bitmap) {
        int width = bitmap.getWidth();
        int[] pixels = new int[width * bitmap.getHeight()];
        bitmap.getPixels(pixels, 0, width, 0, 0, width, bitmap.getHeight());
        return pixels;
    }

    /** Returns the power of two that makes a side at most twice what is wanted. */
    static int sampleSize(int width, int height) {
        int size = 1;
        while (Math.max(width, height) / size >= 2 * MOST) {
            size *= 2;
        }
        return size;
    }

    private static Bitmap decode(ContentResolver resolver, Uri uri, BitmapFactory.Options options)
            throws IOException {
        try (InputStream in = opened(resolver, uri)) {
            return BitmapFactory.decodeStream(in, null, options);
        }
    }

    private static InputStream opened(ContentResolver resolver, Uri uri) throws IOException {
        try {
            InputStream in = resolver.openInputStream(uri);
            if (in == null) {
                throw new IOException("cannot be opened: " + uri);
            }
            return in;
        } catch (SecurityException error) {
            throw new IOException("may not be read: " + uri, error);
        }
    }

    private static int orientation(ContentResolver resolver, Uri uri) {
        try (InputStream in = opened(resolver, uri)) {
            return new ExifInterface(in).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1);
        } catch (IOException error) {
            return ExifInterface.ORIENTATION_NORMAL; // not every picture says it
        }
    }

    private static Bitmap upright(Bitmap bitmap, int orientation) {
        Matrix matrix = new Matrix();
        switch (orientation) {
            case ExifInterface.ORIENTATION_ROTATE_90:
                matrix.postRotate(90);
                break;
            case ExifInterface.ORIENTATION_ROTATE_180:
                matrix.postRotate(180);
                break;
            case ExifInterface.ORIENTATION_ROTATE_270:
                matrix.postRotate(270);
                break;
            default:
                return bitmap; // mirrored ones are no photo of a camera's
        }
        return Bitmap.createBitmap(
                bitmap, 0, 0, bitmap.getWidth(), bitmap.getHeight(), matrix, true);
    }
}

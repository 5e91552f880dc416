package mnistjax.app.views;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.Path;
import java.util.Arrays;

/**
 * Strokes on a square, in parts of its side from 0 to 1, so that they fit a view of any size.
 *
 * <p>A stroke is a sequence of x and y; a pair of NaN stands before each.
 */
public final class Ink {
    /** Width of a stroke, in parts of the side. */
    static final float STROKE = 0.075f;

    /** Pixels of the side of what models are shown. */
    public static final int SIDE = 280;

    private static final int MOST = 20_000; // numbers: a Bundle may hold about 1 MB
    private static final float CLOSE = 1f / 500;

    private float[] numbers = new float[256];
    private int length;

    /** Begins a stroke. */
    void begin(float x, float y) {
        append(Float.NaN, Float.NaN);
        append(x, y);
    }

    /** Goes on with it; a point that is next to the last one adds nothing, and is left out. */
    void moveTo(float x, float y) {
        if (Math.abs(x - numbers[length - 2]) >= CLOSE
                || Math.abs(y - numbers[length - 1]) >= CLOSE) {
            append(x, y);
        }
    }

    /** Whether nothing is drawn. */
    public boolean isEmpty() {
        return length == 0;
    }

    /** Returns the strokes, for {@link #set}. */
    public float[] get() {
        return Arrays.copyOf(numbers, length);
    }

    /** Takes strokes in place of those that it has. */
    public void set(float[] strokes) {
        numbers = Arrays.copyOf(strokes, Math.max(strokes.length, 2));
        length = strokes.length;
    }

    /**
     * Draws strokes, black on white.
     *
     * @param strokes what {@link #get} gave
     * @return alpha, red, green and blue of {@link #SIDE} times as many pixels, row by row
     */
    public static int[] pixels(float[] strokes) {
        Bitmap bitmap = Bitmap.createBitmap(SIDE, SIDE, Bitmap.Config.ARGB_8888);
        bitmap.eraseColor(Color.WHITE);
        draw(new Canvas(bitmap), strokes, SIDE, Color.BLACK);
        int[] pixels = new int[SIDE * SIDE];
        bitmap.getPixels(pixels, 0, SIDE, 0, 0, SIDE, SIDE);
        bitmap.recycle();
        return pixels;
    }

    /** Draws strokes on a square of this side. */
    static void draw(Canvas canvas, float[] strokes, float side, int colour) {
        Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
        paint.setStyle(Paint.Style.STROKE);
        paint.setStrokeCap(Paint.Cap.ROUND);
        paint.setStrokeJoin(Paint.Join.ROUND);
        paint.setStrokeWidth(STROKE * side);
        paint.setColor(colour);
        Path path = new Path();
        boolean isFirst = false;
        for (int i = 0; i + 1 < strokes.length; i += 2) {
            float x = strokes[i] * side;
            float y = strokes[i + 1] * side;
            if (Float.isNaN(x)) {
                isFirst = true;
            } else if (isFirst) {
                path.moveTo(x, y);
                path.lineTo(x + 0.01f, y); // a tap is a dot
                isFirst = false;
            } else {
                path.lineTo(x, y);
            }
        }
        canvas.drawPath(path, paint);
    }

    private void append(float x, float y) {
        if (length + 2 > MOST) {
            return;
        }
        if (length + 2 > numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * numbers.length);
        }
        numbers[length++] = x;
        numbers[length++] = y;
    }
}

package mnistjax.app;

import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Looper;
import android.os.SystemClock;
import android.view.MotionEvent;
import android.view.View;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import mnistjax.app.views.InkView;
import org.json.JSONArray;
import org.json.JSONException;
import org.junit.After;
import org.junit.Before;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** What the tests of the screens share. The folder {@code app.work} is where they meet pytest's. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 29, application = JvmApplication.class, qualifiers = AppTest.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public abstract class AppTest {
    static final String PHONE = "w411dp-h891dp-port-notnight-420dpi";
    static final File WORK = new File(System.getProperty("app.work"));
    private static final long PATIENCE = 30_000_000_000L; // nanoseconds: the machine may be busy

    @Before
    public void useOwnPackages() {
        JvmApplication.packages = null;
        JvmApplication.states = null;
    }

    @After
    public void forgetPackages() {
        useOwnPackages();
        RuntimeEnvironment.setQualifiers(PHONE); // or the next test's first screen is a rotated one
    }

    /** Waits until the screen shows what it should; what it says is in the message otherwise. */
    static void await(Activity activity, BooleanSupplier isThere) {
        long end = System.nanoTime() + PATIENCE;
        while (!isThere.getAsBoolean() && System.nanoTime() < end) {
            shadowOf(Looper.getMainLooper()).idle();
            LockSupport.parkNanos(1_000_000);
        }
        shadowOf(Looper.getMainLooper()).idle();
        assertTrue("the screen says: " + said(activity), isThere.getAsBoolean());
    }

    static void awaitSaid(Activity activity, String text) {
        await(activity, () -> said(activity).contains(text));
    }

    static String said(Activity activity) {
        return text(activity, R.id.message);
    }

    static String text(Activity activity, int id) {
        return ((TextView) activity.findViewById(id)).getText().toString();
    }

    static void click(Activity activity, int id) {
        assertTrue(activity.findViewById(id).performClick());
    }

    static int answers(Activity activity) {
        return ((LinearLayout) activity.findViewById(R.id.answers)).getChildCount();
    }

    /** Returns the strokes of a digit: an array for each, of x and y in parts of the side. */
    static JSONArray strokes(int digit) throws IOException, JSONException {
        return new JSONArray(read(new File(WORK, "strokes.json"))).getJSONArray(digit);
    }

    static String read(File file) throws IOException {
        return new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
    }

    static void write(String name, String text) throws IOException {
        Files.write(new File(WORK, name).toPath(), text.getBytes(StandardCharsets.UTF_8));
    }

    /** Draws a digit by touching the screen. */
    static void draw(Activity activity, int digit) throws IOException, JSONException {
        InkView ink = activity.findViewById(R.id.ink);
        JSONArray all = strokes(digit);
        for (int i = 0; i < all.length(); i++) {
            JSONArray stroke = all.getJSONArray(i);
            int last = stroke.length() - 2;
            for (int at = 0; at <= last; at += 2) {
                int action = at == 0 ? MotionEvent.ACTION_DOWN : MotionEvent.ACTION_MOVE;
                touch(ink, action, stroke.getDouble(at), stroke.getDouble(at + 1));
            }
            touch(ink, MotionEvent.ACTION_UP, stroke.getDouble(last), stroke.getDouble(last + 1));
        }
    }

    static void touch(View ink, int action, double x, double y) {
        int[] place = new int[2];
        ink.getLocationInWindow(place);
        float atX = place[0] + (float) x * ink.getWidth();
        float atY = place[1] + (float) y * ink.getHeight();
        long now = SystemClock.uptimeMillis();
        MotionEvent event = MotionEvent.obtain(now, now, action, atX, atY, 0);
        ink.getRootView().dispatchTouchEvent(event);
        event.recycle();
    }

    /** Draws what is on the screen into a file. */
    static void screenshot(Activity activity, String name) throws IOException {
        shadowOf(Looper.getMainLooper()).idle();
        View view = activity.getWindow().getDecorView();
        Bitmap bitmap =
                Bitmap.createBitmap(view.getWidth(), view.getHeight(), Bitmap.Config.ARGB_8888);
        view.draw(new Canvas(bitmap));
        try (FileOutputStream out = new FileOutputStream(new File(WORK, name + ".png"))) {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, out);
        }
    }
}

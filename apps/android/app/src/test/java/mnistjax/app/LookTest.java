package mnistjax.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.Color;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.widget.ImageView;
import android.widget.LinearLayout;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.file.Files;
import java.util.List;
import mnistjax.app.views.InkView;
import mnistjax.device.Prediction;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;

/** The first screen. */
public final class LookTest extends AppTest {
    private final ActivityController<LookActivity> controller =
            Robolectric.buildActivity(LookActivity.class);

    /** What is drawn by touches goes to pytest, which compares it with what Python computes. */
    @Test
    public void drawnDigitsAreTold() throws Exception {
        LookActivity activity = controller.setup().get();
        JSONArray all = new JSONArray();
        int digits = new JSONArray(read(new File(WORK, "strokes.json"))).length();
        for (int digit = 0; digit < digits; digit++) {
            click(activity, R.id.clear);
            await(activity, () -> activity.image() == null);
            draw(activity, digit);
            await(activity, () -> answers(activity) > 0 && isSettled(activity));
            all.put(told(activity));
        }
        write("told.json", all.toString());
        screenshot(activity, "look-light");
    }

    /** The last touch has been answered when a further question gives nothing new. */
    private static boolean isSettled(LookActivity activity) {
        byte[] before = activity.image();
        boolean[] isDone = new boolean[1];
        activity.worker().run(() -> 0, ignored -> isDone[0] = true, error -> {});
        await(activity, () -> isDone[0]);
        return before != null && before == activity.image();
    }

    private static JSONObject told(LookActivity activity) throws Exception {
        JSONObject told = new JSONObject();
        JSONArray levels = new JSONArray();
        for (byte level : activity.image()) {
            levels.put(level & 255);
        }
        told.put("image", levels);
        told.put("said", said(activity));
        JSONObject models = new JSONObject();
        for (Answer answer : activity.ask(activity.image())) {
            JSONArray probabilities = new JSONArray();
            for (Prediction each : answer.predictions) {
                probabilities.put(each.probability());
            }
            models.put(answer.model, probabilities);
        }
        return told.put("models", models);
    }

    @Test
    public void aRotationAndTheEndOfTheProcessKeepTheDrawing() throws Exception {
        LookActivity activity = controller.setup().get();
        draw(activity, 3);
        await(activity, () -> answers(activity) > 0 && isSettled(activity));
        byte[] drawn = activity.image();
        float[] strokes = ((InkView) activity.findViewById(R.id.ink)).strokes();

        Bundle state = new Bundle();
        controller.saveInstanceState(state).pause().stop().destroy();
        RuntimeEnvironment.setQualifiers("+land");
        LookActivity next = Robolectric.buildActivity(LookActivity.class).setup(state).get();
        await(next, () -> answers(next) > 0);
        assertEquals(strokes.length, ((InkView) next.findViewById(R.id.ink)).strokes().length);
        org.junit.Assert.assertArrayEquals(drawn, next.image());
        screenshot(next, "look-land");
    }

    @Test
    public void aPhotoIsTakenByTheCamerasApp() throws Exception {
        LookActivity activity = controller.setup().get();
        click(activity, R.id.photo);
        Intent asked = shadowOf(activity).getNextStartedActivity();
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.getAction());
        Intent photo = new Intent().putExtra("data", stroke(120, 160));
        activity.onActivityResult(PictureActivity.PHOTO, Activity.RESULT_OK, photo);
        await(activity, () -> answers(activity) > 0);
        assertTrue(((ImageView) activity.findViewById(R.id.seen)).getDrawable() != null);

        Bundle state = new Bundle();
        byte[] seen = activity.image();
        controller.saveInstanceState(state).pause().stop().destroy();
        LookActivity next = Robolectric.buildActivity(LookActivity.class).setup(state).get();
        await(next, () -> answers(next) > 0);
        org.junit.Assert.assertArrayEquals(seen, next.image());
    }

    @Test
    public void withoutACameraItSaysSo() {
        LookActivity activity = controller.setup().get();
        shadowOf(RuntimeEnvironment.getApplication()).checkActivities(true);
        click(activity, R.id.photo);
        assertEquals(activity.getString(R.string.error_no_camera), said(activity));
        click(activity, R.id.picture);
        assertEquals(activity.getString(R.string.error_no_picker), said(activity));
    }

    @Test
    public void aHugePictureIsReadInParts() throws Exception {
        LookActivity activity = controller.setup().get();
        choose(activity, Files.readAllBytes(new File(WORK, "huge.png").toPath()));
        await(activity, () -> answers(activity) > 0);
        assertFalse(said(activity).isEmpty());
    }

    @Test
    public void whatIsNoPictureIsRefused() {
        LookActivity activity = controller.setup().get();
        choose(activity, "this is no picture".getBytes());
        awaitSaid(activity, activity.getString(R.string.error_picture));
        choose(activity, new byte[0]);
        awaitSaid(activity, activity.getString(R.string.error_picture));
    }

    @Test
    public void aPictureOfNothingIsSaidToBeOne() throws Exception {
        LookActivity activity = controller.setup().get();
        Bitmap white = Bitmap.createBitmap(50, 50, Bitmap.Config.ARGB_8888);
        white.eraseColor(Color.WHITE);
        Intent photo = new Intent().putExtra("data", white);
        activity.onActivityResult(PictureActivity.PHOTO, Activity.RESULT_OK, photo);
        awaitSaid(activity, "figure");
    }

    @Test
    public void damagedModelsAreNamedAndTheOthersGoOn() throws Exception {
        JvmApplication.packages = new File(WORK, "damaged");
        LookActivity activity = controller.setup().get();
        draw(activity, 1);
        await(activity, () -> answers(activity) > 0 && isSettled(activity));
        List<Answer> answers = activity.ask(activity.image());
        assertTrue(answers.get(0).error, answers.get(0).error.contains("damaged"));
        assertFalse(answers.get(1).predictions.isEmpty());
        LinearLayout rows = activity.findViewById(R.id.answers);
        assertTrue(rows.getChildAt(0).getContentDescription().toString().contains("damaged"));
        screenshot(activity, "look-damaged");
    }

    @Test
    public void aDamagedManifestIsSaid() {
        JvmApplication.packages = new File(WORK, "no-manifest");
        LookActivity activity = controller.setup().get();
        awaitSaid(activity, "model.json");
    }

    @Test
    public void withoutAPersonalModelNothingCanBeTaught() {
        LookActivity activity = controller.setup().get();
        assertTrue(activity.findViewById(R.id.teach).isEnabled());
        JvmApplication.packages = new File(WORK, "no-personal");
        LookActivity other = Robolectric.buildActivity(LookActivity.class).setup().get();
        assertFalse(other.findViewById(R.id.teach).isEnabled());
        assertEquals(other.getString(R.string.error_no_personal), text(other, R.id.teach));
    }

    @Test
    public void atNightItIsDark() throws Exception {
        RuntimeEnvironment.setQualifiers("+night");
        LookActivity activity = Robolectric.buildActivity(LookActivity.class).setup().get();
        draw(activity, 7);
        await(activity, () -> answers(activity) > 0 && isSettled(activity));
        screenshot(activity, "look-night");
        assertEquals(0xff1a1c1e, activity.getColor(R.color.paper));
    }

    private static Bitmap stroke(int width, int height) {
        Bitmap bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        bitmap.eraseColor(Color.WHITE);
        for (int y = height / 4; y < height * 3 / 4; y++) {
            for (int x = width / 2 - 5; x < width / 2 + 5; x++) {
                bitmap.setPixel(x, y, Color.BLACK);
            }
        }
        return bitmap;
    }

    private static void choose(LookActivity activity, byte[] content) {
        Uri uri = Uri.parse("content://test/" + content.length);
        shadowOf(activity.getContentResolver())
                .registerInputStreamSupplier(uri, () -> new ByteArrayInputStream(content));
        Intent chosen = new Intent().setData(uri);
        activity.onActivityResult(PictureActivity.PICTURE, Activity.RESULT_OK, chosen);
    }
}

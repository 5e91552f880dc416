package mnistjax.app;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.os.ParcelFileDescriptor;
import android.widget.EditText;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import org.junit.Test;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.shadows.ShadowAlertDialog;

/** The screen on which a user teaches. */
public final class TeachTest extends AppTest {
    private final ActivityController<TeachActivity> controller =
            Robolectric.buildActivity(TeachActivity.class);

    /** The state that comes of it goes to pytest, which reads it with the Python client. */
    @Test
    public void whatIsTaughtIsSavedSharedAndThereAfterTheProcessEnds() throws Exception {
        TeachActivity activity = ready();
        add(activity, 4, "tree");
        add(activity, 4, "tree");
        add(activity, 1, "stick");
        train(activity);
        draw(activity, 4);
        awaitSaid(activity, "tree");
        screenshot(activity, "teach-light");
        File saved = states()[0];
        Files.copy(saved.toPath(), new File(WORK, "taught.safetensors").toPath());

        shadowOf(activity).clickMenuItem(R.id.share);
        await(activity, () -> StateProvider.file(activity).exists() && isDone(activity));
        Intent chooser = shadowOf(activity).getNextStartedActivity();
        Intent shared = chooser.getParcelableExtra(Intent.EXTRA_INTENT);
        assertEquals(Intent.ACTION_SEND, shared.getAction());
        Uri uri = shared.getParcelableExtra(Intent.EXTRA_STREAM);
        assertArrayEquals(Files.readAllBytes(saved.toPath()), content(activity, uri));

        Bundle state = new Bundle();
        controller.saveInstanceState(state).pause().stop().destroy();
        ((JvmApplication) RuntimeEnvironment.getApplication()).onLowMemory();
        TeachActivity next = Robolectric.buildActivity(TeachActivity.class).setup(state).get();
        await(next, () -> text(next, R.id.samples).contains("tree: 2"));
        assertTrue(text(next, R.id.samples).contains("stick: 1"));
    }

    @Test
    public void aNewProcessReadsWhatWasSaved() throws Exception {
        JvmApplication.states = new File(WORK, "states-of-a-process");
        TeachActivity activity = ready();
        add(activity, 2, "bird");
        Teaching again =
                new Teaching(
                        mnistjax.device.personal.TransferLearningModel.load(
                                activity.app().files(DeviceApplication.PERSONAL),
                                activity.app().runtime()),
                        new StateFile(
                                JvmApplication.states,
                                activity.app().files(DeviceApplication.PERSONAL)));
        assertEquals(null, again.problem());
        assertEquals(1, (int) again.counts().get("bird"));
    }

    @Test
    public void aSampleIsUndone() throws Exception {
        TeachActivity activity = ready();
        add(activity, 2, "bird");
        click(activity, R.id.undo);
        awaitSaid(activity, activity.getString(R.string.undone));
        assertEquals(activity.getString(R.string.samples_none), firstLine(activity));
        click(activity, R.id.undo);
        awaitSaid(activity, activity.getString(R.string.nothing_to_undo));
    }

    @Test
    public void itSaysWhatIsMissing() throws Exception {
        TeachActivity activity = ready();
        click(activity, R.id.add);
        awaitSaid(activity, activity.getString(R.string.error_nothing_drawn));
        click(activity, R.id.train);
        awaitSaid(activity, activity.getString(R.string.error_no_samples));
        draw(activity, 5);
        await(activity, () -> activity.image() != null);
        click(activity, R.id.add);
        awaitSaid(activity, activity.getString(R.string.error_no_name));
    }

    @Test
    public void aStateOfPythonIsTaken() throws Exception {
        TeachActivity activity = ready();
        open(activity, Files.readAllBytes(new File(WORK, "python.safetensors").toPath()));
        awaitSaid(activity, activity.getString(R.string.opened, 3));
        assertTrue(text(activity, R.id.samples).contains("star: 3"));
        train(activity);
        Files.copy(
                states()[0].toPath(),
                new File(WORK, "trained-on.safetensors").toPath(),
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    public void aStateOfAnotherModelOrADamagedOneChangesNothing() throws Exception {
        TeachActivity activity = ready();
        add(activity, 6, "snail");
        byte[] before = Files.readAllBytes(states()[0].toPath());
        open(activity, Files.readAllBytes(new File(WORK, "other.safetensors").toPath()));
        awaitSaid(activity, "model");
        byte[] half = new byte[before.length / 2];
        System.arraycopy(before, 0, half, 0, half.length);
        open(activity, half);
        await(activity, () -> isDone(activity));
        assertFalse(said(activity), said(activity).contains("Opened"));
        assertArrayEquals(before, Files.readAllBytes(states()[0].toPath()));
        assertTrue(text(activity, R.id.samples).contains("snail: 1"));
    }

    @Test
    public void aDamagedStateOfItsOwnIsKept() throws Exception {
        JvmApplication.states = new File(WORK, "states-damaged");
        byte[] damaged = Files.readAllBytes(states()[0].toPath());
        TeachActivity activity = Robolectric.buildActivity(TeachActivity.class).setup().get();
        awaitSaid(activity, states()[0].getName());
        assertArrayEquals(damaged, Files.readAllBytes(states()[0].toPath()));
        add(activity, 6, "snail");
        File aside = null;
        for (File file : states()) {
            aside = file.getName().endsWith(".unreadable") ? file : aside;
        }
        assertArrayEquals(damaged, Files.readAllBytes(aside.toPath()));
    }

    /** The folder is on a disk of a few pages, where pytest may mount one. */
    @Test
    public void aFullStorageLeavesWhatWasSaved() throws Exception {
        File disk = new File(System.getProperty("app.small", "/nowhere"));
        org.junit.Assume.assumeTrue(disk.isDirectory());
        JvmApplication.states = disk;
        TeachActivity activity = ready();
        add(activity, 6, "snail");
        byte[] before = Files.readAllBytes(states()[0].toPath());
        Files.write(new File(disk, "full").toPath(), new byte[(int) disk.getUsableSpace()]);
        draw(activity, 6);
        await(activity, () -> activity.image() != null);
        click(activity, R.id.add);
        await(activity, () -> said(activity).contains("free"));
        assertArrayEquals(before, Files.readAllBytes(states()[0].toPath()));
        assertTrue(text(activity, R.id.samples).contains("snail: 1"));
    }

    @Test
    public void leavingTheScreenPausesTheTraining() throws Exception {
        TeachActivity activity = ready();
        add(activity, 3, "three");
        click(activity, R.id.train);
        await(activity, () -> text(activity, R.id.train).equals("Pause"));
        controller.pause().stop();
        await(activity, () -> text(activity, R.id.train).equals("Train"));
    }

    @Test
    public void allIsForgottenAfterAQuestion() throws Exception {
        TeachActivity activity = ready();
        add(activity, 3, "three");
        shadowOf(activity).clickMenuItem(R.id.reset);
        ShadowAlertDialog.getLatestAlertDialog().getButton(-1).performClick();
        awaitSaid(activity, activity.getString(R.string.forgotten));
        assertEquals(activity.getString(R.string.samples_none), firstLine(activity));
    }

    private TeachActivity ready() {
        TeachActivity activity = controller.setup().get();
        await(activity, () -> !text(activity, R.id.samples).isEmpty());
        return activity;
    }

    private static void add(TeachActivity activity, int digit, String name) throws Exception {
        draw(activity, digit);
        await(activity, () -> activity.image() != null && isDone(activity));
        ((EditText) activity.findViewById(R.id.class_name)).setText(name);
        click(activity, R.id.add);
        awaitSaid(activity, activity.getString(R.string.added, name));
        await(activity, () -> isDone(activity) && activity.image() == null);
    }

    private static void train(TeachActivity activity) {
        click(activity, R.id.train);
        await(activity, () -> epochs(activity) >= 30);
        assertEquals("Pause", text(activity, R.id.train));
        click(activity, R.id.train);
        await(activity, () -> text(activity, R.id.train).equals("Train"));
        await(activity, () -> isDone(activity));
    }

    private static int epochs(TeachActivity activity) {
        String[] words = text(activity, R.id.loss_text).split(" ");
        return words[0].equals("Loss") ? Integer.parseInt(words[3]) : 0;
    }

    private static boolean isDone(TeachActivity activity) {
        boolean[] isDone = new boolean[1];
        activity.worker().run(() -> 0, ignored -> isDone[0] = true, error -> {});
        await(activity, () -> isDone[0]);
        return true;
    }

    private static void open(TeachActivity activity, byte[] content) {
        Uri uri = Uri.parse("content://test/state" + content.length);
        shadowOf(activity.getContentResolver())
                .registerInputStreamSupplier(uri, () -> new ByteArrayInputStream(content));
        Intent chosen = new Intent().setData(uri);
        activity.onActivityResult(TeachActivity.OPEN, Activity.RESULT_OK, chosen);
    }

    private static File[] states() {
        JvmApplication application = (JvmApplication) RuntimeEnvironment.getApplication();
        File[] files = application.states().listFiles();
        java.util.Arrays.sort(files);
        return files;
    }

    private static byte[] content(Activity activity, Uri uri) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ParcelFileDescriptor opened =
                        activity.getContentResolver().openFileDescriptor(uri, "r");
                InputStream in = new FileInputStream(opened.getFileDescriptor())) {
            mnistjax.app.files.Copying.copy(in, bytes, Long.MAX_VALUE);
        }
        return bytes.toByteArray();
    }

    private static String firstLine(Activity activity) {
        return text(activity, R.id.samples).split("\n")[0];
    }
}

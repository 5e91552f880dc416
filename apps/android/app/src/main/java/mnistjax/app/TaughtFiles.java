package mnistjax.app;

import android.content.ClipData;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import mnistjax.app.files.Copying;
import mnistjax.device.DeviceException;
import mnistjax.device.personal.PersonalException;

/** State files that a user hands to other apps, or gets from them. */
final class TaughtFiles {
    private static final String NAME = "taught.safetensors";
    private static final int MOST_MB = 256;

    private TaughtFiles() {}

    /** Returns the question where to save a state. */
    static Intent toCreate() {
        return new Intent(Intent.ACTION_CREATE_DOCUMENT)
                .addCategory(Intent.CATEGORY_OPENABLE)
                .setType(StateProvider.TYPE)
                .putExtra(Intent.EXTRA_TITLE, NAME);
    }

    /** Returns the question which state to open; files of this kind have no type of their own. */
    static Intent toOpen() {
        return new Intent(Intent.ACTION_OPEN_DOCUMENT)
                .addCategory(Intent.CATEGORY_OPENABLE)
                .setType("*/*");
    }

    /** Returns what shares the file that {@link #prepareToShare} wrote. */
    static Intent toShare(Context context) {
        Intent intent = new Intent(Intent.ACTION_SEND);
        intent.setType(StateProvider.TYPE);
        intent.putExtra(Intent.EXTRA_STREAM, StateProvider.uri());
        intent.setClipData(
                ClipData.newUri(context.getContentResolver(), NAME, StateProvider.uri()));
        return intent.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
    }

    /** Writes what was taught to where {@link StateProvider} finds it. */
    static void prepareToShare(Context context, Teaching teaching) throws PersonalException {
        teaching.exportTo(StateProvider.file(context));
    }

    /** Writes what was taught to a file of the user's choice. */
    static void save(Context context, Teaching teaching, Uri to) throws DeviceException {
        File copy = new File(context.getCacheDir(), "save-" + NAME);
        teaching.exportTo(copy);
        try (InputStream in = new FileInputStream(copy);
                OutputStream out = context.getContentResolver().openOutputStream(to, "w")) {
            Copying.copy(in, there(out), Long.MAX_VALUE);
        } catch (IOException | SecurityException error) {
            throw new DeviceException(
                    context.getString(R.string.error_write, error.getMessage()), error);
        } finally {
            copy.delete();
        }
    }

    /** Takes what a file of the user's choice has; if it is no state of this model, nothing of it. */
    static void open(Context context, Teaching teaching, Uri from) throws DeviceException {
        File copy = new File(context.getCacheDir(), "open-" + NAME);
        try {
            fetch(context, from, copy);
            teaching.importFrom(copy);
        } finally {
            copy.delete();
        }
    }

    private static void fetch(Context context, Uri from, File to) throws DeviceException {
        boolean isWhole;
        try (InputStream in = context.getContentResolver().openInputStream(from);
                OutputStream out = new FileOutputStream(to)) {
            isWhole = Copying.copy(there(in), out, (long) MOST_MB << 20);
        } catch (IOException | SecurityException error) {
            throw new DeviceException(
                    context.getString(R.string.error_read, error.getMessage()), error);
        }
        if (!isWhole) {
            throw new DeviceException(context.getString(R.string.error_large, MOST_MB));
        }
    }

    /** Where an app that gives files has ended, there is no stream. */
    private static <T> T there(T stream) throws IOException {
        if (stream == null) {
            throw new IOException("the app that has it gave nothing");
        }
        return stream;
    }
}

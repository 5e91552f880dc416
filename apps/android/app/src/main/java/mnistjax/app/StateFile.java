package mnistjax.app;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import mnistjax.app.files.Copying;
import mnistjax.device.FileSource;
import mnistjax.device.personal.PersonalException;
import mnistjax.device.personal.TransferLearningModel;
import org.json.JSONException;
import org.json.JSONObject;

/** The file in which the app keeps what was taught to its personal model, one for each model. */
final class StateFile {
    static final String MANIFEST = "personal.json";
    private static final long MOST_MANIFEST = 1 << 20; // bytes

    private final File file;
    private final File aside;
    private boolean isUnreadable;

    /**
     * Says where it is.
     *
     * @param folder for the states of all models; another version of the app may have another
     * @param files of the personal package
     * @throws PersonalException the package has no manifest, or the folder cannot be made
     */
    StateFile(File folder, FileSource files) throws PersonalException {
        String model = digest(files);
        file = new File(folder, model + ".safetensors");
        aside = new File(folder, model + ".unreadable");
        if (!folder.isDirectory() && !folder.mkdirs()) {
            throw new PersonalException(
                    folder + ": cannot be made, so nothing can be saved; free some storage");
        }
    }

    /**
     * Loads it where there is one.
     *
     * @throws PersonalException it cannot be used; it stays, and the model has nothing of it
     */
    void load(TransferLearningModel model) throws PersonalException {
        if (file.exists()) {
            isUnreadable = true;
            model.loadState(file);
            isUnreadable = false;
        }
    }

    /**
     * Saves what was taught; a file that could not be loaded is moved aside before.
     *
     * @throws PersonalException it could not be written; the old one is as it was
     */
    void save(TransferLearningModel model) throws PersonalException {
        if (isUnreadable) {
            if (!file.renameTo(aside)) {
                throw new PersonalException(
                        file + ": cannot be moved aside, and is not overwritten; free some storage");
            }
            isUnreadable = false;
        }
        model.saveState(file);
    }

    /** Returns its name, for a message. */
    String name() {
        return file.getName();
    }

    private static String digest(FileSource files) throws PersonalException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (InputStream in = files.open(MANIFEST)) {
            Copying.copy(in, bytes, MOST_MANIFEST);
            String text = new String(bytes.toByteArray(), StandardCharsets.UTF_8);
            return new JSONObject(text).getString("sha256").substring(0, 16);
        } catch (IOException | JSONException | StringIndexOutOfBoundsException error) {
            throw new PersonalException(
                    MANIFEST + ": expected the SHA-256 of a model; build the app anew", error);
        }
    }
}

package mnistjax.app.files;

import android.content.res.AssetManager;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import mnistjax.device.FileSource;

/** A package among the app's assets; of a file that is much like another, only a delta is there. */
public final class AssetFiles implements FileSource {
    private static final String DELTA = ".delta";

    private final AssetManager assets;
    private final String folder;

    /** Takes the files of a folder of the assets. */
    public AssetFiles(AssetManager assets, String folder) {
        this.assets = assets;
        this.folder = folder;
    }

    @Override
    public InputStream open(String name) throws IOException {
        String path = folder + "/" + name;
        try {
            return assets.open(path);
        } catch (FileNotFoundException error) {
            try (InputStream delta = assets.open(path + DELTA)) {
                return new ByteArrayInputStream(Delta.apply(delta, this::whole));
            } catch (FileNotFoundException ignored) {
                throw error;
            }
        }
    }

    private byte[] whole(String path) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (InputStream in = assets.open(path)) {
            Copying.copy(in, bytes, Integer.MAX_VALUE);
        }
        return bytes.toByteArray();
    }
}

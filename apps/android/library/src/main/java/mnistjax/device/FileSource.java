package mnistjax.device;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Where the files of a package are: a folder, or anything else that gives streams by name.
 *
 * <p>On Android: {@code name -> context.getAssets().open("device/" + name)}.
 */
public interface FileSource {
    /**
     * Opens a file.
     *
     * @param name of a file of the package, without a folder
     * @return its content, to be closed by the caller
     * @throws IOException there is no such file, or it cannot be read
     */
    InputStream open(String name) throws IOException;

    /**
     * Takes files from a folder.
     *
     * @param folder of the package
     * @return its files
     */
    static FileSource folder(File folder) {
        return name -> new FileInputStream(new File(folder, name));
    }
}

package mnistjax.device.internal;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Files that are written whole or not at all. */
public final class WholeFile {
    private WholeFile() {}

    /**
     * Writes a file in place of one that may be there; a crash leaves the one or the other.
     *
     * @param file to write
     * @param content of it
     * @throws IOException the disk refuses; what was there is untouched
     */
    public static void write(File file, byte[] content) throws IOException {
        File folder = file.getAbsoluteFile().getParentFile();
        String name = UUID.randomUUID().toString().replace("-", "");
        File aside = new File(folder, "." + name + ".part");
        boolean isWhole = false;
        try {
            try (FileOutputStream stream = new FileOutputStream(aside)) {
                stream.write(content);
                stream.getFD().sync();
            }
            isWhole = !file.isDirectory() && aside.renameTo(file);
        } finally {
            if (!isWhole) {
                aside.delete();
            }
        }
        if (!isWhole) {
            throw new IOException("it cannot be put in the place of what is there");
        }
        sync(folder);
    }

    /**
     * Has the disk keep which files a folder has: without it, a power cut may bring the old one
     * back. The file is there by then, so nobody is told where a system cannot.
     */
    private static void sync(File folder) {
        try (FileChannel channel = FileChannel.open(folder.toPath(), StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException | LinkageError error) {
            // Of file systems that cannot, and of Android before 8, which has no java.nio.file.
            return;
        }
    }
}

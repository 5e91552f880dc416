package mnistjax.device.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import mnistjax.device.FileSource;

/** Whole files of a package. */
public final class Contents {
    private static final int SHOWN = 12; // digits of a SHA-256 in a message

    private Contents() {}

    /**
     * Reads a file.
     *
     * @param files of the package
     * @param name of the file
     * @return its content
     * @throws FormException it cannot be read
     */
    public static byte[] read(FileSource files, String name) throws FormException {
        try (InputStream stream = files.open(name)) {
            return read(stream);
        } catch (IOException error) {
            throw new FormException("cannot be read (" + reason(error) + ")");
        }
    }

    /**
     * Reads a file that is known.
     *
     * @param files of the package
     * @param name of the file
     * @param sha256 that its manifest says, in hexadecimal digits
     * @return its content
     * @throws FormException it cannot be read, or is another one
     */
    public static byte[] read(FileSource files, String name, String sha256) throws FormException {
        byte[] content = read(files, name);
        String found = sha256(content);
        if (!found.equals(sha256)) {
            throw new FormException(
                    "is damaged: its SHA-256 begins with "
                            + shown(found)
                            + ", its package's manifest says "
                            + shown(sha256));
        }
        return content;
    }

    /**
     * Reads a stream to its end.
     *
     * @param stream stays open
     * @return all of it
     * @throws IOException it cannot be read
     */
    public static byte[] read(InputStream stream) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] part = new byte[1 << 16];
        for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
            content.write(part, 0, count);
        }
        return content.toByteArray();
    }

    /**
     * Copies bytes to where a runtime can use them in place.
     *
     * @param content of a file
     * @return a direct buffer in native order
     */
    public static ByteBuffer direct(byte[] content) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(content.length);
        buffer.order(ByteOrder.nativeOrder()).put(content).rewind();
        return buffer;
    }

    /**
     * Shortens a SHA-256 for a message.
     *
     * @param sha256 in hexadecimal digits
     * @return its first digits
     */
    public static String shown(String sha256) {
        return sha256.substring(0, Math.min(SHOWN, sha256.length()));
    }

    /**
     * Says why a file could not be read or written.
     *
     * @param error of the system
     * @return its message, or its kind where it has none
     */
    public static String reason(IOException error) {
        return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    }

    private static String sha256(byte[] content) {
        try {
            StringBuilder digits = new StringBuilder();
            for (byte each : MessageDigest.getInstance("SHA-256").digest(content)) {
                digits.append(Character.forDigit(each >> 4 & 15, 16));
                digits.append(Character.forDigit(each & 15, 16));
            }
            return digits.toString();
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError("every Java has SHA-256", error);
        }
    }
}

package mnistjax.app.files;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Copies streams, up to a limit. */
public final class Copying {
    private Copying() {}

    /**
     * Copies all of a stream.
     *
     * @param in to its end
     * @param out where to
     * @param most bytes
     * @return false, with no more than that written, where there are more
     * @throws IOException one of them fails
     */
    public static boolean copy(InputStream in, OutputStream out, long most) throws IOException {
        byte[] part = new byte[1 << 16];
        long left = most;
        for (int length = in.read(part); length >= 0; length = in.read(part)) {
            if (length > left) {
                return false;
            }
            out.write(part, 0, length);
            left -= length;
        }
        return true;
    }
}

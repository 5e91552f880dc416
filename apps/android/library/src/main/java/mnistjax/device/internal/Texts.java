package mnistjax.device.internal;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.json.JSONObject;

/** Texts as bytes and in JSON. */
public final class Texts {
    private Texts() {}

    /**
     * Reads UTF-8.
     *
     * @param content of a text
     * @return the text
     * @throws FormException it is none
     */
    public static String decoded(byte[] content) throws FormException {
        try {
            // A new decoder refuses what is no UTF-8, other than String, which puts signs for it.
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
        } catch (CharacterCodingException error) {
            throw new FormException("is no UTF-8");
        }
    }

    /**
     * Writes a text in JSON.
     *
     * @param text any, also one with half of a surrogate pair
     * @return it in quotes and in ASCII, as Python's json does
     */
    public static String quoted(String text) {
        StringBuilder ascii = new StringBuilder();
        for (char each : JSONObject.quote(text).toCharArray()) {
            if (each < 128) {
                ascii.append(each);
            } else {
                ascii.append(String.format("\\u%04x", (int) each));
            }
        }
        return ascii.toString();
    }

    /**
     * Looks for a sign that can be seen.
     *
     * @param text any
     * @return whether there is none
     */
    public static boolean isBlank(String text) {
        for (char each : text.toCharArray()) {
            if (!Character.isWhitespace(each) && !Character.isSpaceChar(each)) {
                return false;
            }
        }
        return true;
    }
}

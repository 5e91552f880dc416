package mnistjax.app.files;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.junit.Test;

/** Deltas; those that Python makes are read where an app's models are loaded. */
public final class DeltaTest {
    private static final byte[] BASE = {1, 2, 3, 4, 5, 6, 7, 8};

    @Test
    public void partsFollowEachOther() throws IOException {
        byte[] delta = delta(6, new int[] {0, 2}, new byte[] {9, 9}, new int[] {1, 4, 3});
        assertArrayEquals(new byte[] {9, 9, 4, 5, 6, 7}, apply(delta));
    }

    @Test
    public void whatGoesBeyondAFileIsRefused() throws IOException {
        int[][] wrong = {{1, 4, 5}, {1, 4, -1}, {1, 7, 0}, {0, 7}, {2, 6, 0}, {3, 1}, {1, -1, 0}};
        for (int[] part : wrong) {
            byte[] delta = delta(6, part, new byte[8]);
            assertThrows(IOException.class, () -> apply(delta));
        }
        assertThrows(IOException.class, () -> apply(delta(-1)));
        assertThrows(IOException.class, () -> apply(delta(6, new int[] {0, 6}, new byte[5])));
    }

    @Test
    public void floatsAreRoundedToTheNearestOfTheHalves() {
        float[] floats = {0, -0f, 1, -2, 65504, 65519.996f, 65520, 1e30f, 6e-8f, 2e-8f, 2.98e-8f};
        int[] halves = {0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 0x7c00, 1, 0, 0};
        for (int i = 0; i < floats.length; i++) {
            assertEquals(halves[i], half(floats[i]));
        }
        assertEquals(0x7c00, half(Float.POSITIVE_INFINITY));
        assertEquals(0x7e00, half(Float.NaN));
        // Halfway between two, the even one; above it, the other.
        assertEquals(0x3c00, half(1 + 1f / 2048));
        assertEquals(0x3c02, half(1 + 3f / 2048));
        assertEquals(0x3c01, half(1 + 1.001f / 2048));
        assertEquals(0x400, half(6.1035156e-5f));
    }

    /** Each number of float16 is itself, and so is what lies closer to it than to others. */
    @Test
    public void everyHalfIsItself() {
        for (int bits = 0; bits < 0x7c00; bits++) {
            int exponent = bits >> 10;
            int fraction = bits & 0x3ff;
            double value =
                    exponent == 0
                            ? fraction * Math.pow(2, -24)
                            : (1024 + fraction) * Math.pow(2, exponent - 25);
            assertEquals(bits, half((float) value));
            assertEquals(bits | 0x8000, half((float) -value));
            double step = Math.pow(2, Math.max(exponent, 1) - 25);
            assertEquals(bits, half((float) (value + 0.49 * step)));
        }
    }

    private static int half(float number) {
        return Delta.half(Float.floatToRawIntBits(number)) & 0xffff;
    }

    private static byte[] apply(byte[] delta) throws IOException {
        return Delta.apply(new ByteArrayInputStream(delta), name -> BASE);
    }

    /** Of a part the kind is a byte, and what follows it are numbers of four bytes. */
    private static byte[] delta(int length, Object... parts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF("base");
        out.writeInt(length);
        for (Object part : parts) {
            if (part instanceof byte[]) {
                out.write((byte[]) part);
                continue;
            }
            int[] numbers = (int[]) part;
            out.writeByte(numbers[0]);
            for (int i = 1; i < numbers.length; i++) {
                out.writeInt(numbers[i]);
            }
        }
        return bytes.toByteArray();
    }
}

package mnistjax.app.files;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Makes a file of another one and what they differ in; {@code apps/android/deltas.py} has the form.
 */
final class Delta {
    private static final int LITERAL = 0;
    private static final int COPY = 1;
    private static final int HALVES = 2;

    private Delta() {}

    /** Where the file is that a delta begins with the name of. */
    interface Base {
        byte[] read(String name) throws IOException;
    }

    /**
     * Makes the file.
     *
     * @param delta from its first byte; it is not closed
     * @param bases has the other file
     * @return the content
     * @throws IOException it cannot be read, or is no delta
     */
    static byte[] apply(InputStream delta, Base bases) throws IOException {
        DataInputStream in = new DataInputStream(delta);
        byte[] base = bases.read(in.readUTF());
        byte[] made = new byte[checked(in.readInt(), 1 << 28)];
        int at = 0;
        while (at < made.length) {
            int kind = in.readUnsignedByte();
            int length = checked(in.readInt(), made.length - at);
            if (kind == LITERAL) {
                in.readFully(made, at, length);
            } else if (kind == COPY) {
                int from = checked(in.readInt(), base.length - length);
                System.arraycopy(base, from, made, at, length);
            } else if (kind == HALVES) {
                int from = checked(in.readInt(), base.length - 2 * length);
                halve(base, from, made, at, length);
            } else {
                throw new IOException("a delta with a part of the unknown kind " + kind);
            }
            at += length;
        }
        return made;
    }

    private static int checked(int number, int most) throws IOException {
        if (number < 0 || number > most) {
            throw new IOException("a delta that goes beyond its file");
        }
        return number;
    }

    /** Writes float32 numbers of a base as float16. */
    private static void halve(byte[] base, int from, byte[] made, int at, int length) {
        ByteBuffer floats = ByteBuffer.wrap(base).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer halves = ByteBuffer.wrap(made).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < length; i += 2) {
            halves.putShort(at + i, half(floats.getInt(from + 2 * i)));
        }
    }

    /**
     * Rounds a number to the nearest of float16, or the even one of two as near.
     *
     * @param bits of a float32
     * @return bits of a float16
     */
    static short half(int bits) {
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude > 0x7f800000) {
            return (short) (sign | 0x7e00); // not a number
        }
        if (magnitude >= 0x477ff000) {
            return (short) (sign | 0x7c00); // too large, or infinite
        }
        if (magnitude < 0x38800000) { // as a multiple of 2^-24, which the sum rounds to
            float scaled = Float.intBitsToFloat(magnitude) * (1 << 24);
            return (short) (sign | (int) Math.rint(scaled));
        }
        int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
        return (short) (sign | (rounded - 0x38000000) >>> 13);
    }
}

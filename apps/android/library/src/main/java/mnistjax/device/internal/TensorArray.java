package mnistjax.device.internal;

import java.util.Arrays;

/** An array of a safetensors file. */
public final class TensorArray {
    /** Types of the numbers, by the names that safetensors has for them. */
    public enum Kind {
        /** Half precision, held in a {@code float[]}. */
        F16(2, "float16"),
        /** In a {@code float[]}. */
        F32(4, "float32"),
        /** In an {@code int[]}. */
        I32(4, "int32");

        final int bytes;
        private final String numpys;

        Kind(int bytes, String numpys) {
            this.bytes = bytes;
            this.numpys = numpys;
        }
    }

    private final Kind kind;
    private final int[] shape;
    private final Object numbers;

    /**
     * Makes an array.
     *
     * @param kind of its numbers
     * @param shape of it, which the caller no longer changes
     * @param numbers a float[] or int[], row-major, which the caller no longer changes
     */
    public TensorArray(Kind kind, int[] shape, Object numbers) {
        this.kind = kind;
        this.shape = shape;
        this.numbers = numbers;
    }

    /**
     * Says what numbers it has.
     *
     * @return their type
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Says what shape it has.
     *
     * @return not to be changed
     */
    public int[] shape() {
        return shape;
    }

    /**
     * Gives its numbers.
     *
     * @return a float[] or int[], not to be changed
     */
    public Object numbers() {
        return numbers;
    }

    /**
     * Gives the numbers of an array of floats.
     *
     * @return not to be changed
     */
    public float[] floats() {
        return (float[]) numbers;
    }

    /**
     * Gives the numbers of an array of integers.
     *
     * @return not to be changed
     */
    public int[] ints() {
        return (int[]) numbers;
    }

    /**
     * Looks for NaN and infinity.
     *
     * @return whether there is neither
     */
    public boolean isFinite() {
        if (numbers instanceof float[]) {
            for (float each : (float[]) numbers) {
                if (Float.isNaN(each) || Float.isInfinite(each)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Compares its form.
     *
     * @param otherKind expected
     * @param otherShape expected
     * @return whether it has both
     */
    public boolean is(Kind otherKind, int... otherShape) {
        return kind == otherKind && Arrays.equals(shape, otherShape);
    }

    /** Returns type and shape as numpy and the Python client write them, such as float32[1, 10]. */
    @Override
    public String toString() {
        return kind.numpys + Arrays.toString(shape);
    }
}

package mnistjax.device;

import java.util.Arrays;

/** What is known of a tensor that a signature takes or gives. */
public final class TensorInfo {
    /** Types of the numbers, each with the array that holds them. */
    public enum Type {
        /** In a {@code float[]}. */
        FLOAT32,
        /** In an {@code int[]}. */
        INT32,
        /** In a {@code byte[]}. */
        INT8,
        /** In a {@code byte[]}, 128 to 255 as -128 to -1. */
        UINT8
    }

    private final Type type;
    private final int[] shape;
    private final float scale;
    private final int zeroPoint;

    /**
     * Describes a tensor.
     *
     * @param type of its numbers
     * @param shape as the file has it, with 1 for any number of images
     * @param scale 0 where it is not quantized; otherwise real values are (integer - zeroPoint) *
     *     scale
     * @param zeroPoint the integer that stands for 0
     */
    public TensorInfo(Type type, int[] shape, float scale, int zeroPoint) {
        this.type = type;
        this.shape = shape.clone();
        this.scale = scale;
        this.zeroPoint = zeroPoint;
    }

    /**
     * Says what its numbers are.
     *
     * @return their type
     */
    public Type type() {
        return type;
    }

    /**
     * Says what shape it has.
     *
     * @return a copy; empty for a single number
     */
    public int[] shape() {
        return shape.clone();
    }

    /**
     * Says how many numbers it has.
     *
     * @return the product of its shape
     */
    public int size() {
        int size = 1;
        for (int length : shape) {
            size *= length;
        }
        return size;
    }

    /**
     * Says what an integer's step is worth.
     *
     * @return the scale, 0 where it is not quantized
     */
    public float scale() {
        return scale;
    }

    /**
     * Says which integer stands for 0.
     *
     * @return the zero point
     */
    public int zeroPoint() {
        return zeroPoint;
    }

    /** Returns type and shape as numpy and the Python client write them, such as float32[1, 10]. */
    @Override
    public String toString() {
        return type.name().toLowerCase(java.util.Locale.ROOT) + Arrays.toString(shape);
    }

    /** Whether type and shape are the same. */
    @Override
    public boolean equals(Object other) {
        return other instanceof TensorInfo && toString().equals(other.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }
}

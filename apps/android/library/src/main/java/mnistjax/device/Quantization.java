package mnistjax.device;

/** Real values as the integers of a tensor, and back, as TFLite's own operators do it. */
final class Quantization {
    private Quantization() {}

    /**
     * Returns real values as what a tensor takes: round(value * (1 / scale)) + zero point in float32,
     * halves to even, clipped to the type.
     *
     * @param values as many as the tensor has
     * @param tensor of float32, int8 or uint8
     */
    static Object quantized(float[] values, TensorInfo tensor) {
        if (tensor.type() == TensorInfo.Type.FLOAT32) {
            return values;
        }
        int least = tensor.type() == TensorInfo.Type.UINT8 ? 0 : -128;
        byte[] integers = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            double integer = Math.rint(values[i] * (1f / tensor.scale())) + tensor.zeroPoint();
            integers[i] = (byte) (int) Math.min(Math.max(integer, least), least + 255);
        }
        return integers;
    }

    /**
     * Returns what a tensor has given as real values: (integer - zero point) * scale.
     *
     * @param array of the tensor
     * @param tensor of float32, int8 or uint8
     */
    static float[] dequantized(Object array, TensorInfo tensor) {
        if (tensor.type() == TensorInfo.Type.FLOAT32) {
            return (float[]) array;
        }
        int mask = tensor.type() == TensorInfo.Type.UINT8 ? 255 : -1;
        byte[] integers = (byte[]) array;
        float[] values = new float[integers.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = ((integers[i] & mask) - tensor.zeroPoint()) * tensor.scale();
        }
        return values;
    }
}

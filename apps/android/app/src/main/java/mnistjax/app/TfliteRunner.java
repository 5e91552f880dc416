package mnistjax.app;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import mnistjax.device.DeviceException;
import mnistjax.device.Runner;
import mnistjax.device.TensorInfo;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** The interpreter of {@code org.tensorflow:tensorflow-lite}, with XNNPACK on one thread. */
final class TfliteRunner implements Runner {
    private final Interpreter interpreter;

    private TfliteRunner(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    /** Loads a model, as {@code RunnerFactory} says. */
    static Runner open(ByteBuffer model) throws DeviceException {
        Interpreter.Options options = new Interpreter.Options();
        options.setNumThreads(1);
        options.setUseXNNPACK(true);
        try {
            return new TfliteRunner(new Interpreter(model, options));
        } catch (IllegalArgumentException | IllegalStateException error) {
            String reason = String.valueOf(error.getMessage()).split("\n")[0];
            throw new DeviceException(
                    "TFLite 2.16, which this app has, cannot run it (" + reason + ")", error);
        } catch (UnsatisfiedLinkError error) {
            throw new DeviceException(
                    "TFLite's library does not load on this device (its processor is another, or"
                            + " its memory has pages of 16 KB); use a device with pages of 4 KB",
                    error);
        }
    }

    @Override
    public Set<String> signatures() {
        return new LinkedHashSet<>(Arrays.asList(interpreter.getSignatureKeys()));
    }

    @Override
    public Map<String, TensorInfo> inputs(String signature) throws DeviceException {
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        for (String name : interpreter.getSignatureInputs(checked(signature))) {
            infos.put(name, info(interpreter.getInputTensorFromSignature(name, signature)));
        }
        return infos;
    }

    @Override
    public Map<String, TensorInfo> outputs(String signature) throws DeviceException {
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        for (String name : interpreter.getSignatureOutputs(checked(signature))) {
            infos.put(name, info(interpreter.getOutputTensorFromSignature(name, signature)));
        }
        return infos;
    }

    @Override
    public Map<String, Object> run(String signature, Map<String, Object> inputs)
            throws DeviceException {
        Map<String, TensorInfo> taken = inputs(signature);
        Map<String, TensorInfo> given = outputs(signature);
        if (!taken.keySet().equals(inputs.keySet())) {
            throw new DeviceException(
                    signature + " takes " + taken.keySet() + ", and got " + inputs.keySet());
        }
        Map<String, Object> in = new Inputs();
        for (Map.Entry<String, TensorInfo> each : taken.entrySet()) {
            in.put(each.getKey(), Buffers.bytes(inputs.get(each.getKey()), each.getValue()));
        }
        Map<String, Object> out = new HashMap<>();
        for (Map.Entry<String, TensorInfo> each : given.entrySet()) {
            out.put(each.getKey(), Buffers.room(each.getValue()));
        }
        try {
            interpreter.runSignature(in, out, signature);
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw new DeviceException(signature + " fails: " + error.getMessage(), error);
        }
        Map<String, Object> results = new LinkedHashMap<>();
        for (Map.Entry<String, TensorInfo> each : given.entrySet()) {
            ByteBuffer bytes = (ByteBuffer) out.get(each.getKey());
            results.put(each.getKey(), Buffers.array(bytes, each.getValue()));
        }
        return results;
    }

    @Override
    public void close() {
        interpreter.close();
    }

    private String checked(String signature) throws DeviceException {
        if (!signatures().contains(signature)) {
            throw new DeviceException(
                    "the model has no signature " + signature + ", but " + signatures());
        }
        return signature;
    }

    private static TensorInfo info(Tensor tensor) throws DeviceException {
        Tensor.QuantizationParams quantization = tensor.quantizationParams();
        return new TensorInfo(
                type(tensor.dataType()),
                tensor.shape(),
                quantization.getScale(),
                quantization.getZeroPoint());
    }

    private static TensorInfo.Type type(DataType type) throws DeviceException {
        switch (type) {
            case FLOAT32:
                return TensorInfo.Type.FLOAT32;
            case INT32:
                return TensorInfo.Type.INT32;
            case INT8:
                return TensorInfo.Type.INT8;
            case UINT8:
                return TensorInfo.Type.UINT8;
            default:
                throw new DeviceException("the model has numbers of type " + type);
        }
    }

    /**
     * Inputs, of which there may be none.
     *
     * <p>TFLite 2.16's {@code runSignature} refuses a map that says it is empty, although it runs a
     * signature without inputs, such as a personal model's {@code initial}, when it is given one.
     */
    private static final class Inputs extends HashMap<String, Object> {
        private static final long serialVersionUID = 1L;

        @Override
        public boolean isEmpty() {
            return false;
        }
    }

    /** Arrays as TFLite's buffers, and back. */
    private static final class Buffers {
        static ByteBuffer room(TensorInfo info) {
            boolean isByte =
                    info.type() == TensorInfo.Type.INT8 || info.type() == TensorInfo.Type.UINT8;
            int bytes = info.size() * (isByte ? 1 : 4);
            return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        }

        static ByteBuffer bytes(Object array, TensorInfo info) throws DeviceException {
            ByteBuffer bytes = room(info);
            int length = java.lang.reflect.Array.getLength(array);
            if (length != info.size()) {
                throw new DeviceException("expected " + info + ", got " + length + " numbers");
            }
            if (array instanceof float[] && info.type() == TensorInfo.Type.FLOAT32) {
                bytes.asFloatBuffer().put((float[]) array);
            } else if (array instanceof int[] && info.type() == TensorInfo.Type.INT32) {
                bytes.asIntBuffer().put((int[]) array);
            } else if (array instanceof byte[] && bytes.capacity() == length) {
                bytes.duplicate().put((byte[]) array);
            } else {
                throw new DeviceException(
                        "expected " + info + ", got " + array.getClass().getSimpleName());
            }
            return bytes;
        }

        static Object array(ByteBuffer bytes, TensorInfo info) {
            bytes.rewind();
            switch (info.type()) {
                case FLOAT32:
                    float[] floats = new float[info.size()];
                    bytes.asFloatBuffer().get(floats);
                    return floats;
                case INT32:
                    int[] integers = new int[info.size()];
                    bytes.asIntBuffer().get(integers);
                    return integers;
                default:
                    byte[] array = new byte[info.size()];
                    bytes.get(array);
                    return array;
            }
        }
    }
}

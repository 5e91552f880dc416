package mnistjax.device.jvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import mnistjax.device.DeviceException;
import mnistjax.device.TensorInfo;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.SignatureRunner;
import org.bytedeco.tensorflowlite.TfLiteQuantizationParams;
import org.bytedeco.tensorflowlite.TfLiteTensor;
import org.bytedeco.tensorflowlite.global.tensorflowlite;

/** A signature of a model on the JVM. */
final class Signature {
    private final SignatureRunner runner;
    private final Map<String, TensorInfo> inputs = new LinkedHashMap<>();
    private final Map<String, TensorInfo> outputs = new LinkedHashMap<>();

    /** Allocates its tensors. */
    Signature(SignatureRunner runner, String name) throws DeviceException {
        this.runner = runner;
        if (runner.AllocateTensors() != tensorflowlite.kTfLiteOk) {
            throw new DeviceException("TFLite cannot prepare the signature " + name);
        }
        for (String each : JvmRunner.names(runner.input_names(), runner.input_size())) {
            inputs.put(each, info(runner.input_tensor(each), each));
        }
        for (String each : JvmRunner.names(runner.output_names(), runner.output_size())) {
            outputs.put(each, info(runner.output_tensor(each), each));
        }
    }

    Map<String, TensorInfo> inputs() {
        return Collections.unmodifiableMap(inputs);
    }

    Map<String, TensorInfo> outputs() {
        return Collections.unmodifiableMap(outputs);
    }

    Map<String, Object> run(Map<String, Object> given) throws DeviceException {
        if (!given.keySet().equals(inputs.keySet())) {
            throw new DeviceException(
                    "the inputs are " + given.keySet() + ", expected " + inputs.keySet());
        }
        for (Map.Entry<String, TensorInfo> each : inputs.entrySet()) {
            String name = each.getKey();
            put(given.get(name), each.getValue(), name, memory(runner.input_tensor(name)));
        }
        if (runner.Invoke() != tensorflowlite.kTfLiteOk) {
            throw new DeviceException("TFLite fails to run the model");
        }
        Map<String, Object> found = new LinkedHashMap<>();
        for (Map.Entry<String, TensorInfo> each : outputs.entrySet()) {
            ByteBuffer memory = memory(runner.output_tensor(each.getKey()));
            found.put(each.getKey(), taken(each.getValue(), memory));
        }
        return found;
    }

    private static ByteBuffer memory(TfLiteTensor tensor) {
        Pointer data = tensorflowlite.TfLiteTensorData(tensor).capacity(tensor.bytes());
        return data.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    private static void put(Object array, TensorInfo tensor, String name, ByteBuffer memory)
            throws DeviceException {
        int size = tensor.size();
        if (tensor.type() == TensorInfo.Type.FLOAT32
                && array instanceof float[]
                && ((float[]) array).length == size) {
            memory.asFloatBuffer().put((float[]) array);
        } else if (tensor.type() == TensorInfo.Type.INT32
                && array instanceof int[]
                && ((int[]) array).length == size) {
            memory.asIntBuffer().put((int[]) array);
        } else if (array instanceof byte[]
                && ((byte[]) array).length == size
                && (tensor.type() == TensorInfo.Type.INT8
                        || tensor.type() == TensorInfo.Type.UINT8)) {
            memory.put((byte[]) array);
        } else {
            throw new DeviceException(
                    "the input " + name + " is no array for " + tensor + ", flat and row-major");
        }
    }

    private static Object taken(TensorInfo tensor, ByteBuffer memory) {
        switch (tensor.type()) {
            case FLOAT32:
                float[] floats = new float[tensor.size()];
                memory.asFloatBuffer().get(floats);
                return floats;
            case INT32:
                int[] ints = new int[tensor.size()];
                memory.asIntBuffer().get(ints);
                return ints;
            default:
                byte[] bytes = new byte[tensor.size()];
                memory.get(bytes);
                return bytes;
        }
    }

    private static TensorInfo info(TfLiteTensor tensor, String name) throws DeviceException {
        int[] shape = new int[tensorflowlite.TfLiteTensorNumDims(tensor)];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensorflowlite.TfLiteTensorDim(tensor, i);
        }
        TfLiteQuantizationParams quantization = tensor.params();
        TensorInfo.Type type = type(tensor.type(), name);
        return new TensorInfo(type, shape, quantization.scale(), quantization.zero_point());
    }

    private static TensorInfo.Type type(int number, String name) throws DeviceException {
        if (number == tensorflowlite.kTfLiteFloat32) {
            return TensorInfo.Type.FLOAT32;
        }
        if (number == tensorflowlite.kTfLiteInt32) {
            return TensorInfo.Type.INT32;
        }
        if (number == tensorflowlite.kTfLiteInt8) {
            return TensorInfo.Type.INT8;
        }
        if (number == tensorflowlite.kTfLiteUInt8) {
            return TensorInfo.Type.UINT8;
        }
        throw new DeviceException(
                "the tensor " + name + " is of TFLite's type " + number
                        + ", expected floats, or integers of 8 or 32 bits");
    }
}

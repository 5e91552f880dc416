package mnistjax.device.jvm;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.Map;
import mnistjax.device.DeviceException;
import mnistjax.device.FileSource;
import mnistjax.device.Runner;
import mnistjax.device.TensorInfo;
import mnistjax.device.internal.Contents;

/**
 * A device model on raw rows: {@code RunModel [--builtin] MODEL INPUTS OUTPUTS}.
 *
 * <p>INPUTS has rows of the model's own input tensor, little-endian, and OUTPUTS gets rows of its
 * output tensor. Exit status 0: done; 3: this runtime cannot run this file; 1: anything else is
 * wrong. Of both, the last line on stderr says what. With {@code --builtin}, XNNPACK is left out.
 */
public final class RunModel {
    private static final int FAILED = 1;
    private static final int CANNOT_RUN = 3;

    private RunModel() {}

    /**
     * Runs a model.
     *
     * @param arguments as above
     */
    public static void main(String[] arguments) {
        boolean isBuiltin = arguments.length == 4 && arguments[0].equals("--builtin");
        if (arguments.length != 3 && !isBuiltin) {
            end(FAILED, "usage: RunModel [--builtin] MODEL INPUTS OUTPUTS");
        }
        JvmRunner.Kernels kernels =
                isBuiltin ? JvmRunner.Kernels.BUILTIN : JvmRunner.Kernels.XNNPACK;
        int first = isBuiltin ? 1 : 0;
        File model = new File(arguments[first]);
        File inputs = new File(arguments[first + 1]);
        try (InputStream stream = new FileInputStream(model)) {
            ByteBuffer content = Contents.direct(Contents.read(stream));
            try (Runner runner = JvmRunner.factory(kernels).open(content)) {
                run(runner, model, inputs, new File(arguments[first + 2]));
            }
        } catch (DeviceException error) {
            end(CANNOT_RUN, model + ": " + error.getMessage());
        } catch (IOException error) {
            end(FAILED, Contents.reason(error));
        }
    }

    private static void run(Runner runner, File model, File inputs, File outputs)
            throws DeviceException, IOException {
        if (runner.signatures().size() != 1) {
            throw new DeviceException(
                    "it has the signatures " + runner.signatures() + ", expected one");
        }
        String signature = runner.signatures().iterator().next();
        Map.Entry<String, TensorInfo> input = only(runner.inputs(signature), "input");
        Map.Entry<String, TensorInfo> output = only(runner.outputs(signature), "output");
        byte[] row = new byte[bytes(input.getValue())];
        if (!inputs.isFile()) {
            throw new IOException(inputs + ": there is no such file");
        }
        if (inputs.length() % row.length != 0) {
            throw new IOException(
                    inputs + ": has " + inputs.length() + " bytes, expected rows of " + row.length
                            + ", as the model takes");
        }
        try (DataInputStream from =
                        new DataInputStream(
                                new BufferedInputStream(new FileInputStream(inputs), 1 << 16));
                OutputStream to =
                        new BufferedOutputStream(new FileOutputStream(outputs), 1 << 16)) {
            for (long left = inputs.length() / row.length; left > 0; left--) {
                from.readFully(row);
                Object array = array(row, input.getValue());
                Map<String, Object> found =
                        runner.run(signature, Collections.singletonMap(input.getKey(), array));
                to.write(row(found.get(output.getKey()), output.getValue()));
            }
        }
    }

    private static Map.Entry<String, TensorInfo> only(Map<String, TensorInfo> tensors, String what)
            throws DeviceException {
        if (tensors.size() != 1) {
            throw new DeviceException(
                    "it has the " + what + "s " + tensors.keySet() + ", expected one");
        }
        return tensors.entrySet().iterator().next();
    }

    private static int bytes(TensorInfo tensor) {
        boolean isLong =
                tensor.type() == TensorInfo.Type.FLOAT32 || tensor.type() == TensorInfo.Type.INT32;
        return tensor.size() * (isLong ? 4 : 1);
    }

    private static Object array(byte[] row, TensorInfo tensor) {
        ByteBuffer buffer = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
        if (tensor.type() == TensorInfo.Type.FLOAT32) {
            float[] floats = new float[tensor.size()];
            buffer.asFloatBuffer().get(floats);
            return floats;
        }
        if (tensor.type() == TensorInfo.Type.INT32) {
            int[] ints = new int[tensor.size()];
            buffer.asIntBuffer().get(ints);
            return ints;
        }
        return row;
    }

    private static byte[] row(Object array, TensorInfo tensor) {
        if (array instanceof byte[]) {
            return (byte[]) array;
        }
        ByteBuffer buffer = ByteBuffer.allocate(bytes(tensor)).order(ByteOrder.LITTLE_ENDIAN);
        if (array instanceof float[]) {
            buffer.asFloatBuffer().put((float[]) array);
        } else {
            buffer.asIntBuffer().put((int[]) array);
        }
        return buffer.array();
    }

    private static void end(int status, String message) {
        System.err.println(message);
        System.exit(status);
    }
}

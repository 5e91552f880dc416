package mnistjax.device.jvm;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mnistjax.device.DeviceException;
import mnistjax.device.Runner;
import mnistjax.device.RunnerFactory;
import mnistjax.device.TensorInfo;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.tensorflowlite.BuiltinOpResolver;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithXNNPACK;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithoutDefaultDelegates;
import org.bytedeco.tensorflowlite.FlatBufferModel;
import org.bytedeco.tensorflowlite.Interpreter;
import org.bytedeco.tensorflowlite.InterpreterBuilder;
import org.bytedeco.tensorflowlite.StringVector;
import org.bytedeco.tensorflowlite.global.tensorflowlite;

/** Models on the JVM, by TensorFlow Lite as Bytedeco's JavaCPP brings it. */
public final class JvmRunner implements Runner {
    /** Whose implementation of the operators runs. */
    public enum Kernels {
        /** XNNPACK's where it has some, as in the AAR for Android. */
        XNNPACK,
        /** TFLite's own. */
        BUILTIN
    }

    // What native code refers to has to live as long as the interpreter.
    private final ByteBuffer buffer;
    private final BytePointer content;
    private final FlatBufferModel model;
    private final BuiltinOpResolver resolver;
    private final Interpreter interpreter = new Interpreter((Pointer) null);
    private final Map<String, Signature> signatures = new LinkedHashMap<>();

    private JvmRunner(ByteBuffer buffer, Kernels kernels) throws DeviceException {
        this.buffer = buffer;
        content = new BytePointer(buffer);
        int size = buffer.limit();
        model = FlatBufferModel.VerifyAndBuildFromBuffer(content, size);
        resolver =
                kernels == Kernels.XNNPACK
                        ? new BuiltinOpResolverWithXNNPACK()
                        : new BuiltinOpResolverWithoutDefaultDelegates();
        if (model == null || model.isNull()) {
            throw new DeviceException("this is no whole TFLite model");
        }
        try (InterpreterBuilder builder = new InterpreterBuilder(model, resolver)) {
            // One thread, as the time of an image goes to passing work around with more.
            if (builder.apply(interpreter, 1) != tensorflowlite.kTfLiteOk
                    || interpreter.isNull()) {
                throw new DeviceException("TFLite has not all of the model's operators");
            }
        }
        StringVector keys = interpreter.signature_keys();
        for (long i = 0; i < keys.size(); i++) {
            String key = keys.get(i).getString();
            signatures.put(key, new Signature(interpreter.GetSignatureRunner(key), key));
        }
    }

    /**
     * Gives the runtime.
     *
     * @param kernels that run
     * @return what loads models to be run by one thread
     */
    public static RunnerFactory factory(Kernels kernels) {
        return buffer -> new JvmRunner(buffer, kernels);
    }

    @Override
    public Set<String> signatures() {
        return Collections.unmodifiableSet(signatures.keySet());
    }

    @Override
    public Map<String, TensorInfo> inputs(String signature) throws DeviceException {
        return named(signature).inputs();
    }

    @Override
    public Map<String, TensorInfo> outputs(String signature) throws DeviceException {
        return named(signature).outputs();
    }

    @Override
    public Map<String, Object> run(String signature, Map<String, Object> inputs)
            throws DeviceException {
        return named(signature).run(inputs);
    }

    /**
     * Says how much of the model XNNPACK runs.
     *
     * @return how many steps the first subgraph runs in; of the operators that XNNPACK takes
     *     together there is one
     */
    public long steps() {
        return interpreter.execution_plan().capacity();
    }

    @Override
    public void close() {
        signatures.clear();
        interpreter.close();
        resolver.close();
        model.close();
        content.close();
    }

    private Signature named(String name) throws DeviceException {
        Signature signature = signatures.get(name);
        if (signature == null) {
            throw new DeviceException(
                    "there is no signature " + name + ", expected one of " + signatures.keySet());
        }
        return signature;
    }

    static List<String> names(PointerPointer<?> pointers, long count) {
        List<String> names = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            names.add(new BytePointer(pointers.get(i)).getString());
        }
        return names;
    }
}

package mnistjax.device.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A safetensors file: arrays and texts by name. */
public final class SafeTensors {
    private static final String METADATA = "__metadata__";
    private static final int LENGTH = 8; // bytes of what a file begins with: the header's length
    private static final int LONGEST_HEADER = 100_000_000; // as safetensors itself has it

    private final Map<String, TensorArray> arrays;
    private final Map<String, String> texts;

    /**
     * Makes one.
     *
     * @param arrays by name
     * @param texts the metadata
     */
    public SafeTensors(Map<String, TensorArray> arrays, Map<String, String> texts) {
        this.arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
        this.texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
    }

    /**
     * Gives the arrays.
     *
     * @return them by name
     */
    public Map<String, TensorArray> arrays() {
        return arrays;
    }

    /**
     * Gives the metadata.
     *
     * @return texts by key
     */
    public Map<String, String> texts() {
        return texts;
    }

    /**
     * Reads a file.
     *
     * @param content all of it
     * @return its arrays and texts
     * @throws FormException it is not whole, or none
     */
    public static SafeTensors parse(byte[] content) throws FormException {
        try {
            return parsed(content);
        } catch (FormException error) {
            throw new FormException(
                    "is no whole safetensors file (it " + error.getMessage() + ")");
        }
    }

    private static SafeTensors parsed(byte[] content) throws FormException {
        ByteBuffer buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        long length = content.length < LENGTH ? -1 : buffer.getLong();
        if (length < 0 || length > LONGEST_HEADER || length > content.length - LENGTH) {
            throw new FormException("ends before its header does");
        }
        byte[] start = Arrays.copyOfRange(content, LENGTH, LENGTH + (int) length);
        if (length == 0 || start[0] != '{') {
            throw new FormException("has a header that does not begin with {");
        }
        Fields header = Fields.parse(Texts.decoded(start));
        Map<String, String> texts = new LinkedHashMap<>();
        List<Entry> entries = new ArrayList<>();
        for (String name : header.keys()) {
            Fields fields = header.object(name);
            if (name.equals(METADATA)) {
                for (String key : fields.keys()) {
                    texts.put(key, fields.text(key));
                }
            } else {
                entries.add(new Entry(name, fields));
            }
        }
        Collections.sort(entries, Comparator.comparingLong((Entry each) -> each.begin)
                .thenComparingLong(each -> each.end));
        Map<String, TensorArray> arrays = new LinkedHashMap<>();
        int first = LENGTH + (int) length;
        long end = 0;
        for (Entry entry : entries) {
            if (entry.begin != end || entry.end > content.length - first) {
                throw new FormException(
                        "has gaps or ends before the array " + entry.name + " does");
            }
            buffer.position(first + (int) entry.begin);
            arrays.put(entry.name, entry.read(buffer));
            end = entry.end;
        }
        if (first + end != content.length) {
            throw new FormException("has something behind its last array");
        }
        return new SafeTensors(arrays, texts);
    }

    /**
     * Writes a file.
     *
     * @return all of its content
     */
    public byte[] content() {
        StringBuilder header = new StringBuilder("{");
        if (!texts.isEmpty()) {
            header.append(Texts.quoted(METADATA)).append(":{");
            for (Map.Entry<String, String> each : texts.entrySet()) {
                header.append(Texts.quoted(each.getKey())).append(':');
                header.append(Texts.quoted(each.getValue())).append(',');
            }
            header.setCharAt(header.length() - 1, '}');
            header.append(',');
        }
        int end = 0;
        for (Map.Entry<String, TensorArray> each : arrays.entrySet()) {
            TensorArray array = each.getValue();
            int begin = end;
            end += size(array.shape()) * array.kind().bytes;
            header.append(Texts.quoted(each.getKey())).append(":{\"dtype\":\"");
            header.append(array.kind()).append("\",\"shape\":");
            header.append(Arrays.toString(array.shape())).append(",\"data_offsets\":[");
            header.append(begin).append(',').append(end).append("]},");
        }
        if (header.length() > 1) {
            header.setLength(header.length() - 1);
        }
        header.append('}');
        while (header.length() % LENGTH != 0) { // the header is ASCII, and so are its bytes
            header.append(' ');
        }
        byte[] start = header.toString().getBytes(StandardCharsets.US_ASCII);
        ByteBuffer buffer = ByteBuffer.allocate(LENGTH + start.length + end);
        buffer.order(ByteOrder.LITTLE_ENDIAN).putLong(start.length).put(start);
        for (TensorArray array : arrays.values()) {
            int bytes = size(array.shape()) * array.kind().bytes;
            if (array.kind() == TensorArray.Kind.F32) {
                buffer.asFloatBuffer().put(array.floats());
            } else if (array.kind() == TensorArray.Kind.I32) {
                buffer.asIntBuffer().put(array.ints());
            } else {
                throw new IllegalArgumentException("nobody writes arrays of " + array.kind());
            }
            buffer.position(buffer.position() + bytes);
        }
        return buffer.array();
    }

    private static int size(int[] shape) {
        int size = 1;
        for (int length : shape) {
            size *= length;
        }
        return size;
    }

    /** What the header says of an array. */
    private static final class Entry {
        final String name;
        final TensorArray.Kind kind;
        final int[] shape;
        final long begin;
        final long end;

        Entry(String name, Fields fields) throws FormException {
            this.name = name;
            String dtype = fields.text("dtype");
            try {
                kind = TensorArray.Kind.valueOf(dtype);
            } catch (IllegalArgumentException error) {
                throw new FormException(
                        "has an array " + name + " of type " + dtype + ", expected "
                                + Arrays.toString(TensorArray.Kind.values()));
            }
            long[] lengths = fields.wholeNumbers("shape");
            long[] offsets = fields.wholeNumbers("data_offsets");
            double size = kind.bytes; // a double, as it may be larger than any integer
            shape = new int[lengths.length];
            for (int i = 0; i < shape.length; i++) {
                shape[i] = (int) Math.min(lengths[i], Integer.MAX_VALUE);
                size *= lengths[i];
            }
            if (offsets.length != 2 || offsets[1] - offsets[0] != size) {
                throw new FormException("has an array " + name + " of another size than its shape");
            }
            begin = offsets[0];
            end = offsets[1];
        }

        TensorArray read(ByteBuffer buffer) {
            int size = (int) (end - begin) / kind.bytes;
            if (kind == TensorArray.Kind.I32) {
                int[] ints = new int[size];
                buffer.asIntBuffer().get(ints);
                return new TensorArray(kind, shape, ints);
            }
            float[] floats = new float[size];
            if (kind == TensorArray.Kind.F32) {
                buffer.asFloatBuffer().get(floats);
            } else {
                for (int i = 0; i < size; i++) {
                    floats[i] = single(buffer.getShort());
                }
            }
            return new TensorArray(kind, shape, floats);
        }
    }

    /** Returns a number of IEEE 754's half precision in single precision. */
    private static float single(short half) {
        int exponent = half >> 10 & 31;
        int fraction = half & 1023;
        float value;
        if (exponent == 31) {
            value = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        } else if (exponent == 0) {
            value = Math.scalb((float) fraction, -24);
        } else {
            value = Math.scalb((float) (fraction + 1024), exponent - 25);
        }
        return half < 0 ? -value : value;
    }
}

package mnistjax.device.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import mnistjax.device.Given;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of arrays: what is whole is read, and nothing else. */
class SafeTensorsTest {
    @Test
    void whatIsWrittenIsRead() throws Exception {
        Map<String, TensorArray> arrays = new LinkedHashMap<>();
        float[] floats = {1.5f, -0f, Float.MIN_VALUE, Float.NaN, 0, 1e30f};
        int[] ints = {Integer.MIN_VALUE};
        arrays.put("floats", new TensorArray(TensorArray.Kind.F32, new int[] {2, 3}, floats));
        arrays.put("none", new TensorArray(TensorArray.Kind.F32, new int[] {0, 3}, new float[0]));
        arrays.put("one", new TensorArray(TensorArray.Kind.I32, new int[0], ints));
        Map<String, String> texts = Collections.singletonMap("a \"key\"", "☃ \ud800 \n/\\");
        byte[] content = new SafeTensors(arrays, texts).content();
        SafeTensors found = SafeTensors.parse(content);
        assertArrayEquals(floats, found.arrays().get("floats").floats());
        assertArrayEquals(ints, found.arrays().get("one").ints());
        assertTrue(found.arrays().get("none").is(TensorArray.Kind.F32, 0, 3));
        assertEquals(texts, found.texts());
        long header = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertEquals(0, header % 8);
    }

    @Test
    void noPartOfAFileIsOne() throws Exception {
        byte[] content = Given.bytes("states/good.safetensors");
        SafeTensors.parse(content);
        for (int length = 0; length < content.length; length++) {
            byte[] part = Arrays.copyOf(content, length);
            assertThrows(FormException.class, () -> SafeTensors.parse(part));
        }
        byte[] more = Arrays.copyOf(content, content.length + 1);
        assertThrows(FormException.class, () -> SafeTensors.parse(more));
    }

    @Test
    void whateverByteIsWrongThereIsASentenceOrAnArray() throws Exception {
        byte[] content = Given.bytes("states/good.safetensors");
        for (int place = 0; place < content.length; place++) {
            for (int value : new int[] {0, 0x22, 0x39, 0x7d, 0x80, 0xff}) {
                byte[] changed = content.clone();
                changed[place] = (byte) value;
                try {
                    SafeTensors.parse(changed);
                } catch (FormException error) {
                    assertTrue(error.getMessage().startsWith("is no whole safetensors file (it "));
                }
            }
        }
    }

    @Test
    void halvesAreThoseOfIeee754() throws Exception {
        short[] halves = {0x3c00, (short) 0xc000, 0x3555, 0x0001, 0x7bff, 0x7c00, 0x7e00, 0};
        ByteBuffer numbers = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        numbers.asShortBuffer().put(halves);
        String header = "{\"a\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]}}";
        TensorArray found = SafeTensors.parse(file(header, numbers.array())).arrays().get("a");
        float[] expected = {
            1, -2, 0.33325195f, 5.9604645e-8f, 65504, Float.POSITIVE_INFINITY, Float.NaN, 0
        };
        assertArrayEquals(expected, found.floats());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]|a header that does not begin with",
                "{\"a\":1}|has a that is not an object",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} x|behind its end",
                "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}|of type F64",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}|of another size",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}|whole numbers",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}|whole numbers",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}|has gaps",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}|of another size",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1000000,1000000,1000000,1000000],"
                        + "\"data_offsets\":[0,4]}}|of another size",
                "{\"__metadata__\":{\"a\":1}}|a that is not a text",
            })
    void aHeaderOfAnotherFormIsRefused(String header, String message) {
        byte[] content = file(header, new byte[4]);
        String said =
                assertThrows(FormException.class, () -> SafeTensors.parse(content)).getMessage();
        assertTrue(said.contains(message), said);
    }

    @Test
    void aHeaderThatIsNestedToTheSkyIsRefused() {
        char[] open = new char[300_000];
        Arrays.fill(open, '[');
        byte[] content = file("{\"a\":" + new String(open), new byte[0]);
        assertThrows(FormException.class, () -> SafeTensors.parse(content));
    }

    private static byte[] file(String header, byte[] numbers) {
        byte[] start = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer content = ByteBuffer.allocate(8 + start.length + numbers.length);
        content.order(ByteOrder.LITTLE_ENDIAN).putLong(start.length).put(start).put(numbers);
        return content.array();
    }
}

package mnistjax.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A package of device models: read, checked and run; the numbers are Python's. */
class DevicePackageTest {
    @TempDir Path copy;

    @BeforeEach
    void copyPackage() throws Exception {
        Given.copy("device", copy);
    }

    @Test
    void itSaysWhatItHas() throws Exception {
        DevicePackage found = DevicePackage.read(copy.toFile());
        assertEquals("digits", found.task());
        assertEquals("cnn", found.network());
        assertEquals(Arrays.asList("0 1 2 3 4 5 6 7 8 9".split(" ")), found.labels());
        assertEquals(28 * 28, found.images().size());
        assertTrue(found.images().isDrawn());
        assertEquals("float32", found.models().get(0).name());
        assertEquals(0.99, found.models().get(0).accuracy());
        assertEquals(5, found.models().size());
        assertTrue(found.models().get(0).summary().startsWith("as trained"));
        long bytes = copy.resolve("float32.tflite").toFile().length();
        assertEquals(bytes, found.models().get(0).bytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"float32", "float16", "dynamic_range", "int8", "int8_io"})
    void numbersArePythons(String name) throws Exception {
        float[][] images = Given.rows("images.f32", 28 * 28);
        float[][] expected = Given.rows(name + ".f32", 10);
        try (Classifier model = open(name)) {
            for (int row = 0; row < images.length; row++) {
                float[] logits = model.logits(images[row]);
                assertArrayEquals(expected[row], logits, 1e-5f, "image " + row);
                List<Prediction> told = model.classify(images[row]);
                double sum = 0;
                int best = 0;
                for (int label = 0; label < 10; label++) {
                    sum += told.get(label).probability();
                    best = logits[label] > logits[best] ? label : best;
                }
                assertEquals(1, sum, 1e-12);
                assertEquals(String.valueOf(best), Prediction.best(told).label());
            }
        }
    }

    @Test
    void levelsAreDividedBy255() throws Exception {
        byte[] levels = new byte[28 * 28];
        levels[400] = (byte) 255;
        float[] floats = new float[28 * 28];
        floats[400] = 1;
        try (Classifier model = open("float32")) {
            assertEquals(model.classify(floats).toString(), model.classify(levels).toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"float32", "int8_io"})
    void anImageOfAnotherKindIsRefused(String name) throws Exception {
        float[] image = new float[28 * 28];
        try (Classifier model = open(name)) {
            Given.assertRefused(
                    "^the image has 783 numbers, expected 784$",
                    () -> model.classify(new float[783]));
            for (float wrong : new float[] {Float.NaN, -0.1f, 1.1f, Float.POSITIVE_INFINITY}) {
                image[9] = wrong;
                Given.assertRefused(
                        "^the image has the number .+, expected 0 to 1 without NaN$",
                        () -> model.logits(image));
            }
        }
    }

    @Test
    void aClosedModelSaysSo() throws Exception {
        Classifier model = open("float32");
        model.close();
        model.close();
        Given.assertRefused("^the model is closed; open", () -> model.logits(new float[784]));
    }

    @Test
    void aDamagedFileIsRefusedBeforeItIsRun() throws Exception {
        Path file = copy.resolve("int8.tflite");
        byte[] content = Files.readAllBytes(file);
        content[content.length / 2] ^= 1;
        Files.write(file, content);
        Given.assertRefused(
                "^int8.tflite is damaged: its SHA-256 begins with \\w{12}, its package's manifest",
                () -> open("int8"));
        Files.delete(file);
        Given.assertRefused("^int8.tflite cannot be read \\(", () -> open("int8"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no model", "TFL3TFL3TFL3TFL3TFL3TFL3TFL3"})
    void aFileThatIsNoModelIsRefused(String content) throws Exception {
        byte[] bytes = content.getBytes(StandardCharsets.US_ASCII);
        Given.assertRefused(
                "no whole TFLite model",
                () -> Given.RUNTIME.open(mnistjax.device.internal.Contents.direct(bytes)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"name\": \"logits\"|\"name\": \"scores\"|expected scores alone, with 10",
                "\"9\"|\"9\", \"ten\"|expected logits alone, with 11",
                "28,|27,|expected image_floats alone, with 756",
            })
    void aModelThatIsNotAsItsManifestSaysIsRefused(String old, String now, String message)
            throws Exception {
        change(old, now);
        Given.assertRefused("^float32.tflite: the model has the tensors .+" + message,
                () -> open("float32"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{|[|is no JSON|",
                "\"labels\"|\"names\"|has labels missing, expected|",
                "\"digits\"|7|has task that is not a text|",
                "\"9\"|\"8\"|has labels that are not different names|",
                "28,|-28,|has input.image_shape that is not a list of whole numbers|",
                "\"mass\"|\"left\"|with its left in the middle|",
                "\"size\": 20|\"size\": 20.5|has input.drawing.size that is not a whole number|",
                "\"float32.tflite\"|\"../float32.tflite\"|which is no name of a file beside it|",
            })
    void aManifestOfAnotherFormIsRefused(String old, String now, String message)
            throws Exception {
        change(old, now);
        Given.assertRefused(
                "^model.json .*" + message + ".*; take the package anew$",
                () -> DevicePackage.read(copy.toFile()));
    }

    @Test
    void aFolderWithoutAPackageIsTold() {
        Given.assertRefused(
                "^model.json cannot be read \\(", () -> DevicePackage.read(Given.file("out")));
    }

    private Classifier open(String name) throws DeviceException {
        DevicePackage found = DevicePackage.read(copy.toFile());
        for (DeviceModel model : found.models()) {
            if (model.name().equals(name)) {
                return found.open(model, Given.RUNTIME);
            }
        }
        throw new AssertionError("there is no model " + name);
    }

    private void change(String old, String now) throws Exception {
        Path file = copy.resolve("model.json");
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        assertTrue(text.contains(old), old);
        int place = text.indexOf(old);
        text = text.substring(0, place) + now + text.substring(place + old.length());
        Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
}

package mnistjax.device.personal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mnistjax.device.Given;
import mnistjax.device.TensorInfo;
import org.json.JSONArray;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of a state: what Python writes is read, and what Python refuses is refused. */
class StateFileTest {
    @TempDir Path folder;

    private StateFile states;

    @BeforeEach
    void describe() throws Exception {
        Map<String, TensorInfo> values = new HashMap<>();
        values.put("params_kernel", tensor(TensorInfo.Type.FLOAT32, 3, 4));
        values.put("state_count", tensor(TensorInfo.Type.INT32));
        states = new StateFile(Manifest.read(Given.files("states")), values);
    }

    @Test
    void aStateOfPythonsIsReadAndWrittenAgain() throws Exception {
        State state = states.read(Given.file("states/good.safetensors"));
        assertEquals(Arrays.asList("one", "two", "trois ☃"), state.classNames);
        assertEquals(12, state.step);
        assertArrayEquals(new int[] {0, 2}, state.samples.labels);
        assertArrayEquals(new float[] {3, 4, 5}, state.samples.features[1]);
        assertArrayEquals(new int[] {5, 0, 1, 0}, state.seen);
        assertArrayEquals(new int[] {12}, (int[]) state.values.get("state_count"));
        states.write(state, Given.file("out/good.safetensors"));
    }

    @Test
    void whatPythonRefusesIsRefusedWithTheSameSentence() throws Exception {
        JSONArray wrong = Given.json("states/wrong.json");
        for (int number = 0; number < wrong.length(); number++) {
            File file = Given.file("states/" + number + ".safetensors");
            String said =
                    assertThrows(PersonalException.class, () -> states.read(file)).getMessage();
            String expected = wrong.getString(number);
            assertTrue(Pattern.compile(expected).matcher(said).find(), said + "; " + expected);
            assertTrue(said.startsWith(file + " "), said);
        }
        assertTrue(wrong.length() > 20);
    }

    @Test
    void aFileThatIsNotThereOrNoneIsTold() throws Exception {
        Given.assertRefused(
                "^/no/such/file cannot be read: .*No such file",
                () -> states.read(new File("/no/such/file")));
        Path damaged = folder.resolve("damaged");
        byte[] content = Given.bytes("states/good.safetensors");
        Files.write(damaged, Arrays.copyOf(content, content.length - 1));
        Given.assertRefused(
                "/damaged is no whole safetensors file \\(it ",
                () -> states.read(damaged.toFile()));
        try (java.io.RandomAccessFile huge =
                new java.io.RandomAccessFile(folder.resolve("huge").toFile(), "rw")) {
            huge.setLength(1L << 40);
        }
        Given.assertRefused(
                "/huge has 1099511627776 bytes, expected 268435456 at most$",
                () -> states.read(folder.resolve("huge").toFile()));
    }

    @Test
    void aFileTakesThePlaceOfAnother() throws Exception {
        State state = states.read(Given.file("states/good.safetensors"));
        File file = folder.resolve("state").toFile();
        Files.write(file.toPath(), new byte[] {1, 2, 3});
        states.write(state, file);
        assertEquals(12, states.read(file).step);
        assertEquals(1, Files.list(folder).count());
    }

    @Test
    void whereItCannotBeWrittenNothingChanges() throws Exception {
        State state = states.read(Given.file("states/good.safetensors"));
        Given.assertRefused(
                "^cannot save the state as /no/such/file: .+; a state that was there is untouched; "
                        + "check that the folder exists, its permissions and the free space$",
                () -> states.write(state, new File("/no/such/file")));
        Files.createDirectory(folder.resolve("taken"));
        Given.assertRefused(
                "^cannot save the state as .+/taken: it cannot be put in the place",
                () -> states.write(state, folder.resolve("taken").toFile()));
        assertEquals(1, Files.list(folder).count());
    }

    @Test
    @Tag("small-disk")
    void aFullDiskLeavesTheOldState() throws Exception {
        State state = states.read(Given.file("states/good.safetensors"));
        Path disk = Paths.get(System.getProperty("mnistjax.disk"));
        Path file = disk.resolve("state");
        Files.write(file, new byte[] {1, 2, 3});
        fill(disk.resolve("filler").toFile());
        Given.assertRefused(
                "^cannot save the state as .+/state: No space left on device; a state that was",
                () -> states.write(state, file.toFile()));
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(file));
        try (Stream<Path> left = Files.list(disk)) {
            assertEquals(2, left.count());
        }
        Files.delete(disk.resolve("filler"));
        states.write(state, file.toFile());
        assertEquals(12, states.read(file.toFile()).step);
    }

    private static void fill(File filler) throws IOException {
        try (FileOutputStream stream = new FileOutputStream(filler)) {
            while (true) {
                stream.write(new byte[4096]);
            }
        } catch (IOException error) {
            assertTrue(error.getMessage().contains("No space left"), error.getMessage());
        }
    }

    private static TensorInfo tensor(TensorInfo.Type type, int... shape) {
        return new TensorInfo(type, shape, 0, 0);
    }
}

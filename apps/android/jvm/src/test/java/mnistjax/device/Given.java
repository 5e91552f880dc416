package mnistjax.device;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mnistjax.device.jvm.JvmRunner;
import org.json.JSONArray;
import org.junit.jupiter.api.function.Executable;

/** What pytest gives the tests: files in the folder that the property mnistjax.data names. */
public final class Given {
    public static final RunnerFactory RUNTIME = JvmRunner.factory(JvmRunner.Kernels.XNNPACK);
    private static final Path FOLDER = Paths.get(System.getProperty("mnistjax.data"));

    private Given() {}

    public static File file(String name) {
        return FOLDER.resolve(name).toFile();
    }

    public static FileSource files(String name) {
        return FileSource.folder(file(name));
    }

    public static byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(FOLDER.resolve(name));
    }

    public static JSONArray json(String name) throws IOException {
        return new JSONArray(new String(bytes(name), StandardCharsets.UTF_8));
    }

    /** Returns floats as rows. */
    public static float[][] rows(String name, int width) throws IOException {
        ByteBuffer content = ByteBuffer.wrap(bytes(name)).order(ByteOrder.LITTLE_ENDIAN);
        float[][] rows = new float[content.limit() / 4 / width][width];
        for (float[] row : rows) {
            content.asFloatBuffer().get(row);
            content.position(content.position() + 4 * width);
        }
        return rows;
    }

    /** Copies a folder of files, and returns the copy. */
    public static Path copy(String name, Path to) throws IOException {
        try (Stream<Path> files = Files.list(FOLDER.resolve(name))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        return to;
    }

    /** Asserts that something is refused with a sentence that a pattern is found in. */
    public static void assertRefused(String pattern, Executable use) {
        String said = assertThrows(DeviceException.class, use).getMessage();
        assertTrue(Pattern.compile(pattern).matcher(said).find(), said);
    }
}

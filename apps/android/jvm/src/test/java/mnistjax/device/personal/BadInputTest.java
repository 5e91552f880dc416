package mnistjax.device.personal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import mnistjax.device.FileSource;
import mnistjax.device.Given;
import mnistjax.device.internal.SafeTensors;
import mnistjax.device.internal.TensorArray;
import org.json.JSONObject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user or a disk may get wrong: a sentence each, and the model stays as it was. */
class BadInputTest {
    @TempDir Path copy;

    private float[] image;
    private TransferLearningModel model;

    @BeforeEach
    void load() throws Exception {
        Given.copy("softmax", copy);
        image = PersonalPackages.SMALL.images()[0];
        model = open();
        model.addSample(image, "star");
    }

    @AfterEach
    void close() {
        model.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"personal.tflite", "replay.safetensors"})
    void aDamagedFileIsRefusedBeforeItIsUsed(String name) throws Exception {
        Path file = copy.resolve(name);
        byte[] content = Files.readAllBytes(file);
        content[content.length / 2] ^= 1;
        Files.write(file, content);
        Given.assertRefused(
                "^" + name + " is damaged: its SHA-256 begins with .+; take the package anew$",
                this::open);
        Files.delete(file);
        Given.assertRefused("^" + name + " cannot be read \\(.+; take the package", this::open);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no model", "TFL3TFL3TFL3TFL3TFL3TFL3"})
    void aFileThatIsNoModelIsRefused(String content) throws Exception {
        replaceModel(content.getBytes(StandardCharsets.US_ASCII));
        Given.assertRefused(
                "^personal.tflite is no TFLite file of use: this is no whole TFLite model; take",
                this::open);
    }

    @Test
    void aFileWithoutASignatureIsRefused() throws Exception {
        byte[] content = Files.readAllBytes(copy.resolve("personal.tflite"));
        String text = new String(content, StandardCharsets.ISO_8859_1);
        text = text.replace("bottleneck", "bottlecork");
        replaceModel(text.getBytes(StandardCharsets.ISO_8859_1));
        Given.assertRefused(
                "^personal.tflite is no TFLite file of use: it has no signature bottleneck;",
                this::open);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "batch_size|9|features is float32\\[8, 24\\], its .+ wants float32\\[9, 24\\];",
                "num_classes|4|logits is float32\\[1, 5\\], its .+ wants float32\\[1, 4\\];",
                "features|23|replay.safetensors has the arrays .+, expected features float16",
            })
    void aFileThatIsNotAsItsManifestSaysIsRefused(String key, int value, String message)
            throws Exception {
        change(key, value);
        Given.assertRefused(message, this::open);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "schema_version|2|is of schema version 2, expected 1",
                "num_classes|2|has num_classes that is not a whole number of 3 or more",
                "label_names|[\"a\"]|has label_names that are not those of the task",
                "file|\"../x\"|has \"../x\", which is no name of a file beside it",
                "sha256|1|has sha256 that is not a text",
                "batch_size|0|has batch_size that is not a whole number of 1 or more",
                "task|null|has task missing, expected an object",
            })
    void aManifestOfAnotherFormIsRefused(String key, String value, String message)
            throws Exception {
        change(key, new org.json.JSONTokener(value).nextValue());
        Given.assertRefused("^personal.json " + message + "; take the package anew$", this::open);
    }

    @Test
    void aPackageWithoutReplayTrainsOnTheUsersImages() throws Exception {
        change("replay", JSONObject.NULL);
        Files.delete(copy.resolve("replay.safetensors"));
        TrainingOptions none = TrainingOptions.defaults().withReplayShare(0);
        try (TransferLearningModel without = open();
                TransferLearningModel alone = load(none)) {
            without.addSample(image, "star");
            alone.addSample(image, "star");
            assertEquals(without.trainEpochs(2)[1], alone.trainEpochs(2)[1]);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, 0.01, 0.99, 1, 2, Double.NaN})
    void aShareThatLeavesNoRoomIsRefused(double share) {
        TrainingOptions options = TrainingOptions.defaults().withReplayShare(share);
        Given.assertRefused("^the replay share is .+, which of a batch of 8", () -> load(options));
    }

    @Test
    void anImageOfAnotherKindIsRefused() throws Exception {
        String before = model.counts().toString();
        float[] wrong = image.clone();
        wrong[7] = Float.NaN;
        for (float[] each : new float[][] {new float[35], new float[0], wrong}) {
            String message = each.length == 36 ? "has the number NaN" : "numbers, expected 36";
            Given.assertRefused(message, () -> model.addSample(each, "comet"));
            Given.assertRefused(message, () -> model.predict(each));
        }
        Given.assertRefused("35 numbers", () -> model.addSample(new byte[35], "comet"));
        assertEquals(before, model.counts().toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\u2003\t"})
    void aNameThatIsNoneIsRefused(String name) {
        Given.assertRefused("expected the name of a class$", () -> model.addSample(image, name));
        Given.assertRefused("called \"null\"", () -> model.addSample(image, null));
    }

    @Test
    void aClassMoreThanThereAreOutputsIsRefused() throws Exception {
        model.addSample(image, "comet");
        Given.assertRefused(
                "^there is no output free for a class \"moon\": all 5 have a name "
                        + "\\(cross, line, ring, star, comet\\)$",
                () -> model.addSample(image, "moon"));
        model.addSample(image, "star");
        assertEquals(2, model.counts().get("star"));
    }

    @Test
    void aTrainingOfNothingIsRefused() throws Exception {
        Given.assertRefused("^0 epochs, expected a whole", () -> model.trainEpochs(0));
        model.reset();
        Given.assertRefused("^there is nothing to train on; add", () -> model.trainEpochs(1));
        Given.assertRefused("^there is nothing to train on; add", () -> model.enableTraining(null));
    }

    @Test
    void aStateOfAnotherModelIsRefusedAndTheOwnOneStays() throws Exception {
        String before = model.predict(image).toString();
        Given.assertRefused(
                "small.safetensors is of the model small-mlp \\(\\w{12}\\), and this is the model "
                        + "small-softmax \\(\\w{12}\\); a state goes with one file alone$",
                () -> model.loadState(Given.file("small.safetensors")));
        assertEquals(before, model.predict(image).toString());
        assertEquals(1, model.counts().get("star"));
    }

    @Test
    void aStepThatGivesNoNumbersIsNotTaken() throws Exception {
        File file = copy.resolve("state").toFile();
        model.trainEpochs(1);
        model.saveState(file);
        SafeTensors found = SafeTensors.parse(Files.readAllBytes(file.toPath()));
        Map<String, TensorArray> arrays = new LinkedHashMap<>(found.arrays());
        float[] kernel = arrays.get("params_kernel").floats();
        for (int i = 0; i < kernel.length; i += 5) {
            kernel[i] = kernel[i + 1] = 3e38f; // as of a training that ran away: numbers still
        }
        Files.write(file.toPath(), new SafeTensors(arrays, found.texts()).content());
        model.loadState(file);
        Given.assertRefused(
                "^step 2 was not taken: a training step gives .+ that are not finite; the model is",
                () -> model.trainEpochs(3));
        assertEquals(1, model.step());
        Given.assertRefused("that are not finite$", () -> model.predict(image));
        model.saveState(file);
        SafeTensors again = SafeTensors.parse(Files.readAllBytes(file.toPath()));
        assertEquals(found.texts(), again.texts());
        assertArrayEquals(kernel, again.arrays().get("params_kernel").floats());
    }

    @Test
    void aClosedModelSaysSo() {
        model.close();
        model.close();
        Given.assertRefused("^the model is closed; load", () -> model.predict(image));
        Given.assertRefused("^the model is closed; load", () -> model.addSample(image, "star"));
        Given.assertRefused("^the model is closed; load", () -> model.trainEpochs(1));
        Given.assertRefused("^the model is closed", () -> model.saveState(Given.file("out/x")));
    }

    private TransferLearningModel open() throws PersonalException {
        return load(TrainingOptions.defaults());
    }

    private TransferLearningModel load(TrainingOptions options) throws PersonalException {
        return TransferLearningModel.load(
                FileSource.folder(copy.toFile()), Given.RUNTIME, options);
    }

    private void replaceModel(byte[] content) throws Exception {
        Files.write(copy.resolve("personal.tflite"), content);
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
        change("sha256", String.format("%064x", new java.math.BigInteger(1, digest)));
    }

    private void change(String key, Object value) throws Exception {
        Path file = copy.resolve("personal.json");
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        JSONObject manifest = new JSONObject(text).put(key, value);
        Files.write(file, Collections.singleton(manifest.toString()), StandardCharsets.UTF_8);
    }
}

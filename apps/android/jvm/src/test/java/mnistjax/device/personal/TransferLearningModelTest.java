package mnistjax.device.personal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import mnistjax.device.Given;
import mnistjax.device.Prediction;
import mnistjax.device.internal.SafeTensors;
import mnistjax.device.internal.TensorArray;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model goes on from Python's state with Python's numbers, learns, and is saved and loaded. */
class TransferLearningModelTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(PersonalPackages.class)
    void itSaysOfImagesWhatPythonSays(PersonalPackages given) throws Exception {
        try (TransferLearningModel model = given.taught()) {
            JSONArray said = given.said(model);
            for (int row = 0; row < said.length(); row++) {
                JSONObject expected = given.told().getJSONObject(row);
                assertEquals(expected.keySet(), said.getJSONObject(row).keySet());
                for (String name : expected.keySet()) {
                    double found = said.getJSONObject(row).getDouble(name);
                    assertEquals(expected.getDouble(name), found, 1e-5, name);
                }
            }
        }
    }

    /** Writes batches and losses, the state and what it says, for Python to do the same. */
    @ParameterizedTest
    @EnumSource(PersonalPackages.class)
    void itTrainsOnWhatPythonLeft(PersonalPackages given) throws Exception {
        int epochs = 4;
        File states = Given.file("out/" + given.name + ".safetensors");
        List<Batch> batches = new ArrayList<>();
        List<Double> losses = new ArrayList<>();
        try (TransferLearningModel model = given.taught();
                TransferLearningModel twin = given.taught()) {
            Manifest manifest = Manifest.read(Given.files(given.folder));
            Mixture mixture = new Mixture(manifest, TrainingOptions.defaults());
            double[] means = model.trainEpochs(epochs);
            for (int epoch = 0; epoch < epochs; epoch++) {
                Snapshot snapshot = twin.learner().snapshot();
                double total = 0;
                Epoch drawn = mixture.epoch(snapshot.samples, snapshot.step);
                while (drawn.hasNext()) {
                    Batch batch = drawn.next();
                    batches.add(batch);
                    losses.add(twin.learner().takeStep(batch, snapshot));
                    total += batch.size * losses.get(losses.size() - 1);
                }
                assertEquals(means[epoch], total / snapshot.samples.size());
            }
            assertEquals(twin.step(), model.step());
            assertEquals(given.said(twin).toString(), given.said(model).toString());
            model.saveState(states);
            Files.write(
                    Given.file("out/" + given.name + ".json").toPath(),
                    ordered(model, given).getBytes(StandardCharsets.UTF_8));
            write(batches, losses, manifest, given.name);
        }
    }

    @Test
    void itLearnsANewClass() throws Exception {
        float[][] images = PersonalPackages.SMALL.images();
        try (TransferLearningModel model = PersonalPackages.SMALL.load()) {
            for (int row = 9; row < 12; row++) {
                model.addSample(images[row], "comet");
            }
            for (int row = 0; row < 3; row++) {
                model.addSample(images[row], "cross");
            }
            assertEquals(Arrays.asList("cross", "line", "ring", "comet"), model.classNames());
            assertEquals("{cross=3, line=0, ring=0, comet=3}", model.counts().toString());
            double[] losses = model.trainEpochs(30);
            assertTrue(losses[29] < losses[0] / 2, Arrays.toString(losses));
            assertEquals("comet", Prediction.best(model.predict(images[10])).label());
            assertEquals("line", Prediction.best(model.predict(images[4])).label());
        }
    }

    @Test
    void aSavedModelGoesOnAsIfItHadNotBeen() throws Exception {
        float[][] images = PersonalPackages.SMALL.images();
        TrainingOptions options = TrainingOptions.defaults().withSamplesPerClass(2).withSeed(5);
        File file = folder.resolve("state").toFile();
        try (TransferLearningModel model = PersonalPackages.SMALL.load(options);
                TransferLearningModel loaded = PersonalPackages.SMALL.load(options)) {
            for (int round = 0; round < 2; round++) {
                for (float[] image : images) {
                    model.addSample(image, "comet");
                }
                model.trainEpochs(1);
                model.saveState(file);
                loaded.loadState(file);
                for (TransferLearningModel each : Arrays.asList(model, loaded)) {
                    for (float[] image : images) {
                        each.addSample(image, "moon " + round);
                    }
                    each.trainEpochs(2);
                }
                assertEquals(model.step(), loaded.step());
                assertEquals(model.counts(), loaded.counts());
                assertEquals(2, model.counts().get("comet"));
                String said = PersonalPackages.SMALL.said(model).toString();
                assertEquals(said, PersonalPackages.SMALL.said(loaded).toString());
                model.reset();
            }
        }
    }

    @Test
    void undoTakesBackSamplesAndNames() throws Exception {
        float[][] images = PersonalPackages.SMALL.images();
        TrainingOptions options = TrainingOptions.defaults().withSamplesPerClass(2);
        File before = folder.resolve("before").toFile();
        File after = folder.resolve("after").toFile();
        try (TransferLearningModel model = PersonalPackages.SMALL.load(options)) {
            assertFalse(model.undo());
            for (int row = 0; row < 5; row++) {
                model.addSample(images[row], "comet");
            }
            model.saveState(before);
            for (float[] image : images) {
                model.addSample(image, "comet");
                model.addSample(image, "moon");
                model.addSample(image, "cross");
            }
            assertEquals(5, model.classNames().size());
            for (int time = 0; time < 3 * images.length; time++) {
                assertTrue(model.undo());
            }
            model.saveState(after);
            assertArrayEquals(
                    Files.readAllBytes(before.toPath()), Files.readAllBytes(after.toPath()));
            assertEquals(Arrays.asList("cross", "line", "ring", "comet"), model.classNames());
            model.loadState(before);
            assertFalse(model.undo());
        }
    }

    @Test
    void resetForgetsAll() throws Exception {
        File fresh = folder.resolve("fresh").toFile();
        File reset = folder.resolve("reset").toFile();
        try (TransferLearningModel model = PersonalPackages.SMALL.load()) {
            model.saveState(fresh);
            model.loadState(Given.file("small.safetensors"));
            assertTrue(model.step() > 0);
            model.reset();
            model.saveState(reset);
        }
        assertArrayEquals(Files.readAllBytes(fresh.toPath()), Files.readAllBytes(reset.toPath()));
    }

    @Test
    void levelsAreDividedBy255() throws Exception {
        byte[] levels = new byte[36];
        levels[3] = (byte) 255;
        float[] floats = new float[36];
        floats[3] = 1;
        try (TransferLearningModel model = PersonalPackages.SMALL.load()) {
            assertEquals(model.predict(floats).toString(), model.predict(levels).toString());
            model.addSample(levels, "cross");
            assertEquals(1, model.counts().get("cross"));
            assertEquals(36, model.images().size());
            assertEquals(5, model.numClasses());
        }
    }

    private static String ordered(TransferLearningModel model, PersonalPackages given)
            throws Exception {
        StringBuilder all = new StringBuilder();
        for (float[] image : given.images()) {
            StringBuilder said = new StringBuilder();
            for (Prediction each : model.predict(image)) {
                said.append(said.length() == 0 ? "{" : ",");
                said.append(JSONObject.quote(each.label())).append(':').append(each.probability());
            }
            all.append(all.length() == 0 ? "[" : ",").append(said).append('}');
        }
        return all.append(']').toString();
    }

    private static void write(
            List<Batch> batches, List<Double> losses, Manifest manifest, String name)
            throws IOException {
        int rows = manifest.batchSize;
        float[] features = new float[batches.size() * rows * manifest.features];
        float[] labels = new float[batches.size() * rows * manifest.numClasses];
        float[] means = new float[batches.size()];
        for (int i = 0; i < means.length; i++) {
            Batch batch = batches.get(i);
            int width = batch.features.length;
            System.arraycopy(batch.features, 0, features, i * width, width);
            width = batch.labels.length;
            System.arraycopy(batch.labels, 0, labels, i * width, width);
            means[i] = losses.get(i).floatValue();
        }
        Map<String, TensorArray> arrays = new TreeMap<>();
        TensorArray.Kind kind = TensorArray.Kind.F32;
        int[] shape = {means.length, rows, manifest.features};
        arrays.put("features", new TensorArray(kind, shape, features));
        int[] labelShape = {means.length, rows, manifest.numClasses};
        arrays.put("labels", new TensorArray(kind, labelShape, labels));
        arrays.put("losses", new TensorArray(kind, new int[] {means.length}, means));
        byte[] content = new SafeTensors(arrays, Collections.emptyMap()).content();
        Files.write(Given.file("out/" + name + "-batches.safetensors").toPath(), content);
    }
}

package mnistjax.device.personal;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import mnistjax.device.Given;
import mnistjax.device.Prediction;
import org.json.JSONArray;
import org.json.JSONObject;

/** The packages that pytest gives, with a state of each, and images that it was asked about. */
enum PersonalPackages {
    DIGITS("personal", "digits", "images.f32", 28 * 28),
    SMALL("mlp", "small", "small.f32", 36);

    final String folder;
    final String name;
    private final String images;
    private final int size;

    PersonalPackages(String folder, String name, String images, int size) {
        this.folder = folder;
        this.name = name;
        this.images = images;
        this.size = size;
    }

    TransferLearningModel load() throws PersonalException {
        return TransferLearningModel.load(Given.files(folder), Given.RUNTIME);
    }

    TransferLearningModel load(TrainingOptions options) throws PersonalException {
        return TransferLearningModel.load(Given.files(folder), Given.RUNTIME, options);
    }

    /** Loads it with the state that Python's client wrote. */
    TransferLearningModel taught() throws PersonalException {
        TransferLearningModel model = load();
        model.loadState(Given.file(name + ".safetensors"));
        return model;
    }

    float[][] images() throws IOException {
        return Given.rows(images, size);
    }

    JSONArray told() throws IOException {
        return Given.json(name + ".json");
    }

    /** Returns what a model says of all images, by the names of classes. */
    JSONArray said(TransferLearningModel model) throws Exception {
        JSONArray all = new JSONArray();
        for (float[] image : images()) {
            Map<String, Object> said = new TreeMap<>();
            for (Prediction each : model.predict(image)) {
                said.put(each.label(), each.probability());
            }
            all.put(new JSONObject(said));
        }
        return all;
    }
}

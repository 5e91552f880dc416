package mnistjax.device.personal;

import java.io.Closeable;
import java.io.File;
import java.util.List;
import java.util.Map;
import mnistjax.device.FileSource;
import mnistjax.device.Prediction;
import mnistjax.device.RunnerFactory;
import mnistjax.device.images.ImageSpec;

/** A package {@code personal/<version>/}, with what its user's training made of it. */
public final class TransferLearningModel implements Closeable {
    private TransferLearningModel() {}

    /** Loads a package. */
    public static TransferLearningModel load(FileSource files, RunnerFactory runtime)
            throws PersonalException {
        return load(files, runtime, TrainingOptions.defaults());
    }

    /** Loads a package. */
    public static TransferLearningModel load(
            FileSource files, RunnerFactory runtime, TrainingOptions options)
            throws PersonalException {
        throw new PersonalException("not there yet");
    }

    /** What images it takes. */
    public ImageSpec images() {
        return null;
    }

    /** The classes that have a name, in the order of the outputs, the package's own first. */
    public List<String> classNames() {
        return null;
    }

    /** How many outputs there are; those behind classNames() are free for new classes. */
    public int numClasses() {
        return 0;
    }

    /** How many samples of each class are held to train on. */
    public Map<String, Integer> counts() {
        return null;
    }

    /** How many training steps were taken. */
    public int step() {
        return 0;
    }

    /** Keeps an image's features to train on; numbers from 0 to 1. A new name takes a free output. */
    public void addSample(float[] image, String className) throws PersonalException {}

    /** The same; levels from 0 to 255, as {@code ImageSpec.image} gives them. */
    public void addSample(byte[] image, String className) throws PersonalException {}

    /** Takes back the last addSample() since load, loadState or reset; false if there is none. */
    public boolean undo() {
        return false;
    }

    /** Trains on a thread of its own until disableTraining(). */
    public void enableTraining(LossListener listener) throws PersonalException {}

    /** Stops that training, and waits until its last step has ended. */
    public void disableTraining() {}

    /** Whether a training runs on a thread of its own. */
    public boolean isTraining() {
        return false;
    }

    /** Trains now; the mean loss of each epoch. */
    public double[] trainEpochs(int epochs) throws PersonalException {
        return null;
    }

    /** For each class that has a name its probability, in the order of the outputs. */
    public List<Prediction> predict(float[] image) throws PersonalException {
        return null;
    }

    /** The same; levels from 0 to 255, as {@code ImageSpec.image} gives them. */
    public List<Prediction> predict(byte[] image) throws PersonalException {
        return null;
    }

    /** Writes the state in place of one that may be there, whole or not at all. */
    public void saveState(File file) throws PersonalException {}

    /** Takes a state in place of the one that it has, after all checks, or not at all. */
    public void loadState(File file) throws PersonalException {}

    /** Forgets all that the user's training made. */
    public void reset() {}

    /** Stops the training, and frees the model. */
    @Override
    public void close() {}
}

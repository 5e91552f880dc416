package mnistjax.device.personal;

import java.io.Closeable;
import java.io.File;
import java.util.List;
import java.util.Map;
import mnistjax.device.FileSource;
import mnistjax.device.Prediction;
import mnistjax.device.RunnerFactory;
import mnistjax.device.images.ImageSpec;
import mnistjax.device.internal.Texts;

/**
 * A package {@code personal/<version>/}, with what its user's training made of it.
 *
 * <p>Any thread may call it, also while it trains on a thread of its own: nobody waits for longer
 * than a training step takes. A method that throws has changed nothing. Images are not kept, but
 * their features are. docs/personalization.md describes the files.
 */
public final class TransferLearningModel implements Closeable {
    private final Manifest manifest;
    private final Learner learner;
    private final Training training;

    private TransferLearningModel(Manifest manifest, Learner learner, Training training) {
        this.manifest = manifest;
        this.learner = learner;
        this.training = training;
    }

    /**
     * Loads a package, as it is before any training, with the default options.
     *
     * @param files of the package
     * @param runtime that runs its model
     * @return the model
     * @throws PersonalException the package is damaged, or of another version
     */
    public static TransferLearningModel load(FileSource files, RunnerFactory runtime)
            throws PersonalException {
        return load(files, runtime, TrainingOptions.defaults());
    }

    /**
     * Loads a package, as it is before any training.
     *
     * @param files of the package
     * @param runtime that runs its model
     * @param options how it is trained
     * @return the model
     * @throws PersonalException the package is damaged, or of another version, or the options do
     *     not go with it
     */
    public static TransferLearningModel load(
            FileSource files, RunnerFactory runtime, TrainingOptions options)
            throws PersonalException {
        Manifest manifest = Manifest.read(files);
        Mixture mixture = new Mixture(manifest, options);
        Signatures signatures = Signatures.open(manifest, runtime);
        try {
            Learner learner = new Learner(manifest, signatures, options);
            return new TransferLearningModel(manifest, learner, new Training(learner, mixture));
        } catch (PersonalException error) {
            signatures.close();
            throw error;
        }
    }

    /**
     * Says what images it takes.
     *
     * @return their shape, and how drawings become such
     */
    public ImageSpec images() {
        return manifest.images;
    }

    /**
     * Says how many outputs there are.
     *
     * @return their number; those behind {@link #classNames()} are free for new classes
     */
    public int numClasses() {
        return manifest.numClasses;
    }

    /**
     * Says what it tells apart.
     *
     * @return names of the classes, in the order of the outputs, the package's own first
     */
    public List<String> classNames() {
        return learner.classNames();
    }

    /**
     * Says what it trains on.
     *
     * @return how many samples of each class it holds, in the order of the outputs
     */
    public Map<String, Integer> counts() {
        return learner.counts();
    }

    /**
     * Says how long it was trained.
     *
     * @return how many training steps were taken
     */
    public long step() {
        return learner.step();
    }

    /**
     * Keeps an image's features to train on.
     *
     * @param image numbers from 0 to 1, row by row
     * @param className of the image; a new one takes the next free output
     * @throws PersonalException it is no image of the package's, or no name, or no output is free
     */
    public void addSample(float[] image, String className) throws PersonalException {
        if (className == null || Texts.isBlank(className)) {
            throw new PersonalException(
                    "the class is called \"" + className + "\", expected the name of a class");
        }
        learner.add(image, className);
    }

    /**
     * Keeps an image's features to train on.
     *
     * @param image levels from 0 to 255, as {@code ImageSpec.image} gives them
     * @param className of the image; a new one takes the next free output
     * @throws PersonalException it is no image of the package's, or no name, or no output is free
     */
    public void addSample(byte[] image, String className) throws PersonalException {
        addSample(ImageSpec.floats(image), className);
    }

    /**
     * Takes back the last sample that was added since the model was loaded, its state was, or it
     * was reset; and the name of its class if it was new with it. What was trained stays trained.
     *
     * @return whether there was one
     */
    public boolean undo() {
        return learner.undo();
    }

    /**
     * Trains on a thread of its own until {@link #disableTraining()} is called or a step fails.
     *
     * @param listener hears of each epoch, on that thread
     * @throws PersonalException there is nothing to train on, or a training runs already
     */
    public void enableTraining(LossListener listener) throws PersonalException {
        training.enable(listener);
    }

    /**
     * Stops the training that was enabled, and waits until its last step has ended. A listener that
     * waits for the thread that calls this never gets its turn.
     */
    public void disableTraining() {
        training.disable();
    }

    /**
     * Says whether it trains.
     *
     * @return whether a training that was enabled runs
     */
    public boolean isTraining() {
        return training.isEnabled();
    }

    /**
     * Trains on the thread that calls it.
     *
     * @param epochs how often each of the user's samples is seen
     * @return the mean loss of each epoch
     * @throws PersonalException there is nothing to train on, or a training runs already, or a step
     *     gives numbers that are not finite: then the model is as it was before this step
     */
    public double[] trainEpochs(int epochs) throws PersonalException {
        return training.run(epochs);
    }

    /**
     * Says what an image is.
     *
     * @param image numbers from 0 to 1, row by row
     * @return for each class that has a name its probability, in the order of the outputs
     * @throws PersonalException it is no image of the package's, or the model fails
     */
    public List<Prediction> predict(float[] image) throws PersonalException {
        return learner.predict(image);
    }

    /**
     * Says what an image is.
     *
     * @param image levels from 0 to 255, as {@code ImageSpec.image} gives them
     * @return for each class that has a name its probability, in the order of the outputs
     * @throws PersonalException it is no image of the package's, or the model fails
     */
    public List<Prediction> predict(byte[] image) throws PersonalException {
        return predict(ImageSpec.floats(image));
    }

    /**
     * Writes the state in place of one that may be there: the old file or the new one, whatever
     * happens.
     *
     * @param file to write
     * @throws PersonalException the disk refuses; what was there is untouched
     */
    public void saveState(File file) throws PersonalException {
        learner.save(file);
    }

    /**
     * Takes a state that was saved, by whatever client, in place of the one that it has.
     *
     * @param file to read
     * @throws PersonalException the file is damaged, or of another model or version; then the state
     *     that it has stays
     */
    public void loadState(File file) throws PersonalException {
        learner.load(file);
    }

    /** Forgets all that the user's training made. */
    public void reset() {
        learner.reset();
    }

    /** Returns what holds the state, for tests. */
    Learner learner() {
        return learner;
    }

    /** Stops the training, and frees the model. */
    @Override
    public void close() {
        training.disable();
        learner.close();
    }
}

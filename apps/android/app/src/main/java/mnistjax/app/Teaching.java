package mnistjax.app;

import java.io.File;
import java.util.List;
import java.util.Map;
import mnistjax.device.Prediction;
import mnistjax.device.images.ImageSpec;
import mnistjax.device.personal.LossListener;
import mnistjax.device.personal.PersonalException;
import mnistjax.device.personal.TransferLearningModel;

/**
 * The personal model, saved after each change; for the worker's thread.
 *
 * <p>{@link #losses} and {@link #isTraining} may be called on any.
 */
final class Teaching {
    private static final int MOST = 2000; // losses that the curve keeps

    private final TransferLearningModel model;
    private final StateFile file;
    private final String problem;
    private double[] losses = {};
    private int epochs;

    /** Takes the model, and what was taught to it before. */
    Teaching(TransferLearningModel model, StateFile file) {
        this.model = model;
        this.file = file;
        String message = null;
        try {
            file.load(model);
        } catch (PersonalException error) {
            message = error.getMessage();
        }
        problem = message;
    }

    /** Returns why what was taught before is not there; null where it is. */
    String problem() {
        return problem;
    }

    /** Returns the name of the file of {@link #problem}. */
    String fileName() {
        return file.name();
    }

    ImageSpec images() {
        return model.images();
    }

    List<String> classNames() {
        return model.classNames();
    }

    int freeNames() {
        return model.numClasses() - model.classNames().size();
    }

    /** Returns how many samples there are of each class. */
    Map<String, Integer> counts() {
        return model.counts();
    }

    List<Prediction> predict(byte[] image) throws PersonalException {
        return model.predict(image);
    }

    /** Adds a sample and saves; if it cannot be saved, it is taken back. */
    void add(byte[] image, String name) throws PersonalException {
        model.addSample(image, name);
        try {
            file.save(model);
        } catch (PersonalException error) {
            model.undo();
            throw error;
        }
    }

    /** Takes back the last sample and saves; false if there is none. */
    boolean undo() throws PersonalException {
        boolean isDone = model.undo();
        if (isDone) {
            file.save(model);
        }
        return isDone;
    }

    /**
     * Trains until {@link #pause}.
     *
     * @param afterEpoch is called on the training's thread, with null or with why it has ended
     */
    void train(java.util.function.Consumer<Exception> afterEpoch) throws PersonalException {
        model.enableTraining(
                new LossListener() {
                    @Override
                    public void onLoss(int epoch, double loss) {
                        append(loss);
                        afterEpoch.accept(null);
                    }

                    @Override
                    public void onError(PersonalException error) {
                        afterEpoch.accept(error);
                    }
                });
    }

    /** Stops training, and saves what came of it. */
    void pause() throws PersonalException {
        model.disableTraining();
        file.save(model);
    }

    boolean isTraining() {
        return model.isTraining();
    }

    /** Returns the mean losses of the last epochs since the app was started. */
    synchronized double[] losses() {
        return losses.clone();
    }

    /** Returns how many epochs there were since the app was started. */
    synchronized int epochs() {
        return epochs;
    }

    /** Writes what was taught to another file. */
    void exportTo(File other) throws PersonalException {
        model.saveState(other);
    }

    /** Takes what another file has, and saves it; if it cannot be used, nothing changes. */
    void importFrom(File other) throws PersonalException {
        model.disableTraining();
        model.loadState(other);
        file.save(model);
    }

    /** Forgets all that was taught. */
    void reset() throws PersonalException {
        model.disableTraining();
        model.reset();
        synchronized (this) {
            losses = new double[0];
            epochs = 0;
        }
        file.save(model);
    }

    private synchronized void append(double loss) {
        int kept = Math.min(losses.length, MOST - 1);
        double[] longer = new double[kept + 1];
        System.arraycopy(losses, losses.length - kept, longer, 0, kept);
        longer[kept] = loss;
        losses = longer;
        epochs++;
    }
}

package mnistjax.device.personal;

import java.io.File;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import mnistjax.device.DeviceException;
import mnistjax.device.Prediction;
import mnistjax.device.images.ImageSpec;
import mnistjax.device.internal.Probabilities;

/** The state of a personal model, and all that changes it, one thread at a time. */
final class Learner {
    // Fair, since a training would otherwise take the lock again before anybody who waits.
    private final ReentrantLock lock = new ReentrantLock(true);
    private final Manifest manifest;
    private final Signatures signatures;
    private final StateFile stateFile;
    private final TrainingOptions options;
    private final Map<String, Object> initial;

    private List<String> classNames;
    private Map<String, Object> values;
    private Reservoir reservoir;
    private long step;
    private boolean isClosed;

    /** What the classes were called before each sample that can be taken back, the last first. */
    private final Deque<List<String>> namesBefore = new ArrayDeque<>();

    /** Counts what takes the place of the whole state, so that a training notices. */
    private int replacements;

    /** Begins with what the package has; the caller closes the signatures if it cannot. */
    Learner(Manifest manifest, Signatures signatures, TrainingOptions options)
            throws PersonalException {
        this.manifest = manifest;
        this.signatures = signatures;
        this.options = options;
        stateFile = new StateFile(manifest, signatures.values());
        initial = signatures.initial();
        reset();
    }

    List<String> classNames() {
        lock.lock();
        try {
            return classNames;
        } finally {
            lock.unlock();
        }
    }

    Map<String, Integer> counts() {
        lock.lock();
        try {
            Map<String, Integer> counts = new LinkedHashMap<>();
            for (int label = 0; label < classNames.size(); label++) {
                counts.put(classNames.get(label), reservoir.held(label));
            }
            return counts;
        } finally {
            lock.unlock();
        }
    }

    long step() {
        lock.lock();
        try {
            return step;
        } finally {
            lock.unlock();
        }
    }

    void add(float[] image, String className) throws PersonalException {
        lock.lock();
        try {
            float[] features = features(image);
            List<String> before = classNames;
            int label = before.indexOf(className);
            if (label < 0) {
                label = before.size();
                classNames = withName(before, className);
            }
            reservoir.add(features, label);
            namesBefore.push(before);
        } finally {
            lock.unlock();
        }
    }

    boolean undo() {
        lock.lock();
        try {
            if (namesBefore.isEmpty()) {
                return false;
            }
            reservoir.undo();
            classNames = namesBefore.pop();
            return true;
        } finally {
            lock.unlock();
        }
    }

    List<Prediction> predict(float[] image) throws PersonalException {
        lock.lock();
        try {
            return Probabilities.of(classNames, signatures.logits(features(image), values));
        } finally {
            lock.unlock();
        }
    }

    void save(File file) throws PersonalException {
        State state;
        lock.lock();
        try {
            checkOpen();
            state = new State(classNames, step, values, reservoir.samples(), reservoir.seen());
        } finally {
            lock.unlock();
        }
        stateFile.write(state, file);
    }

    void load(File file) throws PersonalException {
        State state = stateFile.read(file);
        lock.lock();
        try {
            checkOpen();
            replace(state);
        } finally {
            lock.unlock();
        }
    }

    void reset() {
        lock.lock();
        try {
            Samples none = new Samples(new float[0][], new int[0]);
            int[] seen = new int[manifest.numClasses];
            replace(new State(manifest.labelNames, 0, initial, none, seen));
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            if (!isClosed) {
                isClosed = true;
                replacements++;
                signatures.close();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Returns what there is to train on now. */
    Snapshot snapshot() throws PersonalException {
        lock.lock();
        try {
            checkOpen();
            Samples samples = reservoir.samples();
            if (samples.size() == 0) {
                throw new PersonalException("there is nothing to train on; add images first");
            }
            return new Snapshot(samples, step, replacements);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a training step; if it fails, the model is as it was before it.
     *
     * @return the loss, or NaN where another state has taken the place of the snapshot's
     */
    double takeStep(Batch batch, Snapshot snapshot) throws PersonalException {
        lock.lock();
        try {
            if (replacements != snapshot.replacements) {
                return Double.NaN;
            }
            Signatures.Step taken = signatures.trainStep(batch.features, batch.labels, values);
            values = taken.arrays;
            step++;
            return taken.loss;
        } catch (PersonalException error) {
            String reason = error.getMessage();
            throw new PersonalException(
                    "step " + (step + 1) + " was not taken: " + reason
                            + "; the model is as before it",
                    error);
        } finally {
            lock.unlock();
        }
    }

    private void replace(State state) {
        classNames = state.classNames;
        values = state.values;
        step = state.step;
        reservoir =
                new Reservoir(state.samples, state.seen, options.samplesPerClass, options.seed);
        namesBefore.clear();
        replacements++;
    }

    private List<String> withName(List<String> names, String added) throws PersonalException {
        if (names.size() == manifest.numClasses) {
            throw new PersonalException(
                    "there is no output free for a class \"" + added + "\": all " + names.size()
                            + " have a name (" + String.join(", ", names) + ")");
        }
        List<String> longer = new ArrayList<>(names);
        longer.add(added);
        return Collections.unmodifiableList(longer);
    }

    private float[] features(float[] image) throws PersonalException {
        checkOpen();
        try {
            ImageSpec.check(image, manifest.images.size());
        } catch (DeviceException error) {
            throw new PersonalException(error.getMessage(), error);
        }
        return signatures.features(image);
    }

    private void checkOpen() throws PersonalException {
        if (isClosed) {
            throw new PersonalException("the model is closed; load it anew");
        }
    }
}

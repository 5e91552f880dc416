package mnistjax.device.personal;

/** Training, on a thread of its own or on that of whoever asks for it; one at a time. */
final class Training {
    private final Learner learner;
    private final Mixture mixture;

    /** Whether any training runs; guarded by this. */
    private boolean isBusy;

    /** That of a training that was enabled, or null; guarded by this. */
    private Thread thread;

    private volatile boolean isWanted;

    Training(Learner learner, Mixture mixture) {
        this.learner = learner;
        this.mixture = mixture;
    }

    /** Trains on the thread that calls it; returns the mean loss of each epoch. */
    double[] run(int epochs) throws PersonalException {
        if (epochs < 1) {
            throw new PersonalException(epochs + " epochs, expected a whole number above 0");
        }
        claim(null);
        try {
            double[] losses = new double[epochs];
            for (int epoch = 0; epoch < epochs; epoch++) {
                losses[epoch] = train();
                if (Double.isNaN(losses[epoch])) {
                    throw new PersonalException(
                            "another state took the place of the one that was trained, which ended"
                                    + " the training");
                }
            }
            return losses;
        } finally {
            release();
        }
    }

    /** Trains on a thread of its own. */
    void enable(LossListener listener) throws PersonalException {
        learner.snapshot(); // which throws where there is nothing to train on
        Thread started = new Thread(() -> loop(listener), "personal training");
        started.setDaemon(true);
        synchronized (this) {
            claim(started);
            started.start();
        }
    }

    /** Stops that thread, and waits for its end unless this is that thread. */
    void disable() {
        Thread running;
        synchronized (this) {
            running = thread;
            isWanted = isWanted && running == null;
        }
        if (running == null || running == Thread.currentThread()) {
            return;
        }
        boolean isInterrupted = false;
        while (running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException error) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether a training on a thread of its own runs. */
    synchronized boolean isEnabled() {
        return thread != null;
    }

    private void loop(LossListener listener) {
        PersonalException failure = null;
        try {
            int epoch = 1;
            while (isWanted) {
                double loss = train();
                if (!Double.isNaN(loss)) {
                    listener.onLoss(epoch, loss);
                    epoch++;
                }
            }
        } catch (PersonalException error) {
            failure = error;
        } finally {
            release();
        }
        if (failure != null) {
            listener.onError(failure);
        }
    }

    /** Trains for an epoch; returns its mean loss, or NaN where it had to stop before its end. */
    private double train() throws PersonalException {
        Snapshot snapshot = learner.snapshot();
        Epoch epoch = mixture.epoch(snapshot.samples, snapshot.step);
        double total = 0;
        while (epoch.hasNext() && !Double.isNaN(total)) {
            if (!isWanted) {
                return Double.NaN;
            }
            Batch batch = epoch.next();
            total += batch.size * learner.takeStep(batch, snapshot);
        }
        return total / snapshot.samples.size();
    }

    private synchronized void claim(Thread owner) throws PersonalException {
        if (isBusy) {
            throw new PersonalException("a training runs already; disable it first");
        }
        isBusy = true;
        isWanted = true;
        thread = owner;
    }

    private synchronized void release() {
        isBusy = false;
        thread = null;
    }
}

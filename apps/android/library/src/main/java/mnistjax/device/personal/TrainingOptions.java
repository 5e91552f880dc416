package mnistjax.device.personal;

/** How a personal model is trained; the defaults are those of the Python client. */
public final class TrainingOptions {
    final double replayShare;
    final int samplesPerClass;
    final long seed;

    private TrainingOptions(double replayShare, int samplesPerClass, long seed) {
        this.replayShare = replayShare;
        this.samplesPerClass = samplesPerClass;
        this.seed = seed;
    }

    /**
     * Gives the defaults: half of a batch is the package's own images, 50 samples of each class are
     * kept, and the seed is 0.
     *
     * @return them
     */
    public static TrainingOptions defaults() {
        return new TrainingOptions(0.5, 50, 0);
    }

    /**
     * Changes the share of a batch that is the package's own images.
     *
     * @param share from 0, which trains on the user's alone, to less than 1
     * @return other options
     */
    public TrainingOptions withReplayShare(double share) {
        return new TrainingOptions(share, samplesPerClass, seed);
    }

    /**
     * Changes how many of the user's images of each class are kept.
     *
     * @param samples at least 1
     * @return other options
     */
    public TrainingOptions withSamplesPerClass(int samples) {
        return new TrainingOptions(replayShare, samples, seed);
    }

    /**
     * Changes what is drawn.
     *
     * @param number of any kind
     * @return other options
     */
    public TrainingOptions withSeed(long number) {
        return new TrainingOptions(replayShare, samplesPerClass, number);
    }
}

package mnistjax.device.personal;

/** How batches are made: how many rows are the user's, and how many the package's own. */
final class Mixture {
    private final Samples replay;
    private final int ownRows;
    private final int replayedRows;
    private final int numClasses;
    private final long seed;

    /**
     * Reads the package's own samples, unless the options leave them out.
     *
     * @param manifest of the package
     * @param options as the user wants it
     * @throws PersonalException they are damaged, or the options do not go with the package
     */
    Mixture(Manifest manifest, TrainingOptions options) throws PersonalException {
        double share = options.replayShare;
        replay = share == 0 ? null : manifest.replay();
        numClasses = manifest.numClasses;
        seed = options.seed;
        int rows = manifest.batchSize;
        replayedRows = replay == null ? 0 : (int) Math.rint(rows * share); // to even, as in Python
        ownRows = rows - replayedRows;
        boolean isShare = share >= 0 && share < 1;
        if (!isShare || ownRows < 1 || (replay != null && replayedRows < 1)) {
            throw new PersonalException(
                    "the replay share is " + share + ", which of a batch of " + rows
                            + " images leaves " + replayedRows + " to the package's and " + ownRows
                            + " to the user's; expected some");
        }
        if (options.samplesPerClass < 1) {
            throw new PersonalException(
                    options.samplesPerClass + " samples of a class are kept, expected 1 at least");
        }
    }

    /** Returns the batches of an epoch, which are the same for the same samples and step. */
    Epoch epoch(Samples samples, long step) {
        return new Epoch(samples, replay, ownRows, replayedRows, numClasses, Draws.of(seed, step));
    }
}
